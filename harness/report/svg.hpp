#pragma once
// One picture in SVG: shapes with classes, whose colours are in picture_style().

#include <string>
#include <string_view>

namespace fusetune {

/// Shapes of points, so that series differ without colour.
enum class Marker { circle, square, diamond, triangle, cross };

class Svg {
 public:
  /// In pixels; `title` is what the picture shows, in a sentence.
  Svg(double width, double height, std::string title);

  /// `tip` is said of a shape that is pointed at; none where empty. Texts are escaped here.
  void line(double x1, double y1, double x2, double y2, std::string_view style);
  void rect(double x, double y, double width, double height, std::string_view style,
            std::string_view tip = "");
  void marker(Marker shape, double x, double y, std::string_view style, std::string_view tip = "");
  /// A line through points, as "x,y x,y".
  void polyline(std::string_view points, std::string_view style);
  enum class Anchor { start, middle, end };
  void text(double x, double y, std::string_view style, std::string_view text,
            Anchor anchor = Anchor::start);

  double width() const { return width_; }
  const std::string& title() const { return title_; }

  /// An svg element for a page that has picture_style().
  std::string element() const;
  /// A file of its own, for light and dark surroundings.
  std::string file() const;

 private:
  void shape(const std::string& tag, std::string_view style, std::string_view tip);

  double width_, height_;
  std::string title_, body_;
};

/// Colours and strokes of all pictures, light and dark, in CSS; `root` is the selector that the
/// variables are set for (":root", "svg").
std::string picture_style(std::string_view root);

}  // namespace fusetune
