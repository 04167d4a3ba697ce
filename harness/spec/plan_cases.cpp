#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "harness/spec/geometry_parts.hpp"
#include "harness/spec/plan_sources.hpp"

namespace fusetune {

namespace {

/// Above this a sweep is a mistake: every case is a proof and a measurement.
constexpr std::int64_t kCasesMax = 1000000;

/// Calls `visit` with every choice of one item per list, the last list turning fastest.
template <typename T>
void for_each_choice(const std::map<std::string, std::vector<T>>& lists,
                     const std::function<void(const std::map<std::string, T>&)>& visit) {
  std::map<std::string, T> choice;
  const std::function<void(typename std::map<std::string, std::vector<T>>::const_iterator)> step =
      [&](auto list) {
        if (list == lists.end()) {
          visit(choice);
          return;
        }
        for (const T& item : list->second) {
          choice.insert_or_assign(list->first, item);
          step(std::next(list));
        }
        choice.erase(list->first);
      };
  step(lists.begin());
}

/// Whether an option that the combination sets away from its default has a meaning in it. What
/// cannot be decided here is left to make_case.
bool has_meaning(const Family& family, const Bindings& statics) {
  Scope scope;
  scope.values = statics;
  for (const OptionDecl& option : family.options)
    scope.values.emplace(option.name, Enum{option.values.front()});
  add_derived(family, scope);
  return std::all_of(family.options.begin(), family.options.end(), [&](const OptionDecl& option) {
    if (!option.when || scope.values.at(option.name) == Value(Enum{option.values.front()}))
      return true;
    return check_rule({*option.when, "", {}}, scope).holds;
  });
}

class CaseBuilder {
 public:
  CaseBuilder(const SweepEntry& entry, const Source& source)
      : entry_(entry), source_(source), family_(*entry.family) {
    require_countable();
    rows_ = entry.tokens;
  }

  SourceCases build() {
    for_each_choice<std::string>(entry_.options, [&](const auto& options) {
      Bindings statics = source_.symbols;
      statics.insert(source_.options.begin(), source_.options.end());
      for (const auto& [name, value] : options) statics[name] = Enum{value};
      if (!has_meaning(family_, statics)) return;
      for_each_choice<DType>(entry_.dtypes, [&](const auto& dtypes) {
        for_each_choice<double>(entry_.scalars, [&](const auto& scalars) {
          CaseRequest request;
          request.family = entry_.family;
          request.statics = statics;
          request.dtypes = dtypes;
          request.scalars = scalars;
          guarded([&] { add_geometry(std::move(request)); });
        });
      });
    });
    return std::move(result_);
  }

 private:
  void require_countable() const {
    std::int64_t count = 1;
    bool fits = true;
    const auto times = [&](std::size_t size) {
      fits = fits && !__builtin_mul_overflow(count, static_cast<std::int64_t>(size), &count) &&
             count <= kCasesMax;
    };
    for (const auto& [name, list] : entry_.options) times(list.size());
    for (const auto& [name, list] : entry_.dtypes) times(list.size());
    for (const auto& [name, list] : entry_.row_strides) times(list.size());
    for (const auto& [name, list] : entry_.runtime) times(list.size());
    for (const auto& [name, list] : entry_.scalars) times(list.size());
    times(std::max<std::size_t>(entry_.tokens.size(), 1));
    if (!fits)
      throw UserError(entry_.mark, fmt::format("{} for {}: more than {} cases", family_.name,
                                               source_.name, kCasesMax));
  }

  /// A combination that cannot be is remembered with its reason, once.
  template <typename Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (const UserError& error) {
      refuse(error.what());
    } catch (const EvalError& error) {
      refuse(family_.name + ": " + error.what());
    }
  }

  void refuse(const std::string& reason) {
    if (reasons_.insert(reason).second) result_.refused.push_back(reason);
  }

  void add_geometry(CaseRequest request) {
    const StaticPart part = make_static_part(request);
    for (const auto& [name, bytes] : entry_.base_align_bytes)
      if (part.has(name)) request.base_align_bytes[name] = bytes;
    std::map<std::string, std::vector<Expr>> strides;
    for (const auto& [name, list] : entry_.row_strides)
      if (part.has(name)) strides[name] = list;
    std::map<std::string, std::vector<Expr>> runtime;
    for (const SymbolDecl* symbol : part.runtime)
      if (const auto list = entry_.runtime.find(symbol->name); list != entry_.runtime.end())
        runtime[symbol->name] = list->second;
    if (rows_.empty()) require_default_rows();
    const std::vector<std::pair<std::int64_t, double>> none = {{-1, 1.0}};
    for (const auto& sized_rows : rows_.empty() ? none : rows_) {
      const double weight = sized_rows.second;
      CaseRequest sized = request;
      if (sized_rows.first >= 0) sized.runtime[family_.rows] = sized_rows.first;
      for_each_choice<Expr>(strides, [&](const auto& stride) {
        for_each_choice<Expr>(runtime, [&](const auto& values) {
          guarded([&] { add_case(sized, part, stride, values, weight); });
        });
      });
    }
  }

  void require_default_rows() const {
    if (!family_.find_symbol(family_.rows)->default_value)
      throw UserError(
          fmt::format("{} needs {}: row counts with their weights", family_.name, family_.rows));
  }

  void add_case(CaseRequest request, const StaticPart& part,
                const std::map<std::string, Expr>& strides,
                const std::map<std::string, Expr>& values, double weight) {
    Scope scope = part.scope;
    for (const auto& [name, value] : request.runtime) scope.values[name] = value;
    add_derived(family_, scope);
    for (const auto& [name, expr] : values) request.runtime[name] = expr.eval_int(scope.values);
    for (const auto& [name, value] : request.runtime) scope.values[name] = value;
    for (const auto& [name, expr] : strides)
      request.row_strides[name] = expr.eval_int(scope.values);
    result_.cases.push_back({make_case(request), weight});
  }

  const SweepEntry& entry_;
  const Source& source_;
  const Family& family_;
  std::vector<std::pair<std::int64_t, double>> rows_;
  SourceCases result_;
  std::set<std::string> reasons_;
};

}  // namespace

SourceCases cases_of(const SweepEntry& entry, const Source& source) {
  return CaseBuilder(entry, source).build();
}

}  // namespace fusetune
