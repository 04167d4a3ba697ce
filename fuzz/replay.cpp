// The driver where there is no libFuzzer: runs files, and changed copies of them. Every build has
// it, so that inputs that were findings once stay tests.
// TARGET [--changes N] FILE|FOLDER...

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> inputs_of(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path))
      files.push_back(path);
    else
      for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  for (const fs::path& file : files) inputs.push_back(file_text(file));
  return inputs;
}

void run(const std::string& input) {
  // A copy of exactly this size, so that a sanitizer sees a read behind it.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

/// Cuts, repeats, mixes and flips; the same numbers give the same inputs.
class Changes {
 public:
  explicit Changes(const std::vector<std::string>& inputs) : inputs_(inputs) {}

  std::string next() {
    std::string text = inputs_[below(inputs_.size())];
    for (std::size_t i = 1 + below(4); i-- > 0;) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random_() % n); }

  std::string piece_of(const std::string& text) {
    const std::size_t begin = below(text.size());
    return text.substr(begin, 1 + below(40));
  }

  void change(std::string& text) {
    const std::size_t place = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.erase(place, 1 + below(20));
        break;
      case 1:
        text.insert(place, piece_of(text));
        break;
      case 2:
        text.insert(place, piece_of(inputs_[below(inputs_.size())]));
        break;
      case 3:
        text.insert(place, 1, static_cast<char>(below(256)));
        break;
      default:
        if (place < text.size()) text[place] = static_cast<char>(text[place] ^ (1 << below(8)));
    }
  }

  const std::vector<std::string>& inputs_;
  std::mt19937 random_{20240607};
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> paths;
  unsigned long changes = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--changes" && i + 1 < argc)
      changes = std::stoul(argv[++i]);
    else
      paths.emplace_back(argv[i]);
  }
  const std::vector<std::string> inputs = inputs_of(paths);
  if (inputs.empty()) {
    std::fprintf(stderr, "no inputs: name files or folders\n");
    return 64;
  }
  for (const std::string& input : inputs) run(input);
  Changes changed(inputs);
  for (unsigned long i = 0; i < changes; ++i) run(changed.next());
  std::printf("%zu inputs, %lu changed ones, no finding\n", inputs.size(), changes);
}
