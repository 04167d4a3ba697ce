#include "harness/verify/exchange.hpp"

namespace fusetune {

std::shared_ptr<Arena> PlainExchange::arena(const Case& which, Place place, std::uint64_t seed,
                                            const Aliases& aliases) {
  return std::make_shared<Arena>(device_, which, place, seed, aliases);
}

void PlainExchange::fill(Arena& arena, const TensorImages& images) {
  arena.write_guards();
  arena.write(images);
}

ArenaContent PlainExchange::read(Arena& arena, const TensorImages& /*initial*/) {
  ArenaContent content;
  content.breaches = arena.check_guards(&content.guard_bytes);
  for (const Buffer& buffer : arena.buffers())
    content.images[buffer.tensor->name] = arena.read(buffer);
  return content;
}

}  // namespace fusetune
