#pragma once
// Private to the stage: one reader per format. Each throws UserError with file:line.

#include "harness/import/imported_file.hpp"
#include "harness/import/placed_json.hpp"

namespace fusetune {

void read_t4(std::string_view text, ImportedFile& file);
void read_kernel_tuner(std::string_view text, ImportedFile& file);
void read_wisdom(std::string_view text, ImportedFile& file);
void read_aiter_csv(std::string_view text, ImportedFile& file);
void read_vllm_json(std::string_view text, ImportedFile& file);
void read_config_header(std::string_view text, ImportedFile& file);

/// A configuration's value: a number, a truth value or a word. Throws at its place for others.
Json parameter_of(const PlacedJson& value);
/// An object of such values.
Json parameters_of(const PlacedJson& object);
/// A time above 0, in microseconds, of a number in another unit.
double time_us_of(const PlacedJson& value, double us_per_unit);

/// The lines of a text with their numbers from 1. A carriage return at an end is no part of it.
struct TextLine {
  int number = 0;
  std::string_view text;
};
std::vector<TextLine> lines_of(std::string_view text);

}  // namespace fusetune
