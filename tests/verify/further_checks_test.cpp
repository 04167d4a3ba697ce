// The parts of a proof with runs of their own: each has a bug that only it finds.

#include "harness/verify/further_checks.hpp"

#include <gmock/gmock.h>

#include "tests/verify/mirror_proof.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Right wherever y lies.
void run_in_place(const MirrorArguments& a) {
  for (std::int64_t i = 0; i < a.rows * a.width; ++i) a.fill(a.scratch, i, 0x11);
  std::vector<std::byte> row(static_cast<std::size_t>(a.width * a.element_bytes));
  for (std::int64_t r = 0; r < a.rows; ++r) {
    for (std::int64_t i = 0; i < a.width; ++i)
      a.copy(row.data(), a.width - 1 - i, a.x, r * a.x_stride + i);
    std::memcpy(a.y + r * a.y_stride * a.element_bytes, row.data(), row.size());
  }
  a.zero_tail();
}

void let_y_lie_in_x(MirrorProof& proof) {
  change_tensor(proof, "y", [](TensorDecl& y) { y.may_alias = {"x"}; });
}

TEST(AliasCheck, FindsAKernelThatReadsWhatItHasOverwritten) {
  MirrorProof wrong([](const MirrorArguments& a) { a.run(); });
  EXPECT_TRUE(prove_mirror(wrong).outcome.ok());
  let_y_lie_in_x(wrong);
  const ProofReport report = prove_mirror(wrong);
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_EQ(report.failed_check, "alias");
  EXPECT_THAT(report.outcome.message, HasSubstr("with y in the memory of x: x of row 0, column"));
}

TEST(AliasCheck, AcceptsAKernelThatIsRightInPlace) {
  for (const MirrorShape& shape : {MirrorShape{}, MirrorShape{.padding = 0, .align_bytes = 16}}) {
    MirrorProof right(run_in_place, shape);
    let_y_lie_in_x(right);
    const ProofReport report = prove_mirror(right);
    EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
    EXPECT_EQ(count_of(report, "alias"), 2 * 6 * 5);
    EXPECT_EQ(right.device.live_buffers(), 0u);
  }
}

TEST(AliasCheck, FindsAStrayWriteThatOnlyHappensInPlace) {
  MirrorProof proof([](const MirrorArguments& a) {
    run_in_place(a);
    if (a.x == a.y) a.fill(a.acc, a.rows * a.width, 0);
  });
  let_y_lie_in_x(proof);
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::out_of_bounds);
  EXPECT_EQ(report.failed_check, "alias");
  EXPECT_THAT(report.outcome.message,
              HasSubstr("with y in the memory of x: wrote 2 bytes past the end of acc"));
}

TEST(AliasCheck, SaysWhereRowsLieDifferently) {
  MirrorProof proof(run_in_place);
  let_y_lie_in_x(proof);
  proof.which.row_strides["y"] += 1;
  const ProofReport report = prove_mirror(proof);
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(count_of(report, "alias"), -1);
  EXPECT_THAT(report.skipped, ElementsAre("y in the memory of x: their rows lie differently in "
                                          "this case"));
}

TEST(InputImpact, FindsAnInputThatNobodyUses) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  auto family = mirror_family();
  family->tensors.push_back(tensor_decl("bias", Role::in, false));
  proof.which.geometry.family = family;
  proof.which.geometry.align_bytes["bias"] = 2;
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_EQ(report.failed_check, "input_impact");
  EXPECT_EQ(report.outcome.message,
            "no result depends on input bias: the reference of mirror gives the same when all of "
            "it changes");
}

/// y is x mirrored, with the bits of the first element of bias flipped.
reference::Reference biased_reference() {
  return {[](const reference::Problem& p) {
            mirror_reference().compute(p);
            const auto &y = p.tensor("y"), &bias = p.tensor("bias");
            for (std::int64_t row = 0; row < p.symbol("rows"); ++row)
              for (std::int64_t i = 0; i < p.symbol("width") * 2; ++i)
                y.data[row * y.row_stride * 2 + i] ^= bias.data[i % 2];
          },
          mirror_reference().describe};
}

/// A proof of the biased family; the kernel takes bias where the mirror kernel has scratch.
struct BiasedProof : MirrorProof {
  explicit BiasedProof(MirrorKernel kernel) : MirrorProof(std::move(kernel)) {
    auto family = mirror_family();
    family->tensors[3] = tensor_decl("bias", Role::in, false);
    which.geometry.family = family;
    which.geometry.align_bytes["bias"] = 2;
    variant.launches[0].arguments[5].name = "bias";
  }
};

void run_biased(const MirrorArguments& a, const std::byte* bias) {
  for (std::int64_t row = 0; row < a.rows; ++row) {
    a.mirror_row(row);
    for (std::int64_t i = 0; i < a.width * 2; ++i) a.y[row * a.y_stride * 2 + i] ^= bias[i % 2];
  }
  a.zero_tail();
}

TEST(InputImpact, FindsAKernelThatKeepsAnInputWhileAnotherStaysTheSame) {
  BiasedProof right([](const MirrorArguments& a) { run_biased(a, a.scratch); });
  const ProofReport accepted = prove_mirror(right, 1, 2, biased_reference());
  EXPECT_TRUE(accepted.outcome.ok()) << accepted.outcome.message;
  EXPECT_EQ(count_of(accepted, "input_impact"), 2 * 2 * 6 * 5);

  auto x = std::make_shared<std::vector<std::byte>>();
  auto bias = std::make_shared<std::array<std::byte, 2>>();
  BiasedProof wrong([x, bias](const MirrorArguments& a) {
    const std::vector<std::byte> now(a.x, a.x + 2 * a.width);
    if (now != *x) std::memcpy(bias->data(), a.scratch, 2);
    *x = now;
    run_biased(a, bias->data());
  });
  const ProofReport report = prove_mirror(wrong, 1, 2, biased_reference());
  EXPECT_EQ(report.failed_check, "input_impact");
  EXPECT_THAT(report.outcome.message, HasSubstr("with other content of bias alone: x of row 0"));
}

TEST(InputImpact, SaysWhatHasNoElements) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  auto family = mirror_family();
  TensorDecl none = tensor_decl("none", Role::in, false);
  const SymbolTable symbols{{"rows", {}}, {"width", {}}};
  none.shape = {Expr::parse("rows - rows", symbols), Expr::parse("width", symbols)};
  family->tensors.push_back(none);
  proof.which.geometry.family = family;
  proof.which.geometry.align_bytes["none"] = 2;
  const ProofReport report = prove_mirror(proof);
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_THAT(report.skipped, ElementsAre("input impact of none: it has no elements in this case"));
}

TEST(BackToBack, FindsArgumentsThatTheNextLaunchOverwrites) {
  auto slot = std::make_shared<std::optional<MirrorArguments>>();
  MirrorProof proof([slot](const MirrorArguments& a) { *slot = a; });
  proof.device.on_synchronize = [slot] {
    if (*slot) (*slot)->run();
    slot->reset();
  };
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::unwritten_output);
  EXPECT_EQ(report.failed_check, "back_to_back");
  EXPECT_THAT(report.outcome.message,
              HasSubstr("of two launches without a synchronise between them: x of row 0"));
}

TEST(BackToBack, FindsAResultThatIsKeptForAPointer) {
  // Right on fresh pointers and on the pointers of the last launch, wrong when it comes back.
  auto last = std::make_shared<std::byte*>(nullptr);
  auto kept = std::make_shared<std::map<std::byte*, std::vector<std::byte>>>();
  MirrorProof proof([last, kept](const MirrorArguments& a) {
    a.run();
    const auto row = static_cast<std::size_t>(a.width * a.element_bytes);
    const auto known = kept->find(a.y);
    if (known != kept->end() && *last != a.y && a.schedule == 0)
      std::memcpy(a.y, known->second.data(), row);
    else
      (*kept)[a.y].assign(a.y, a.y + row);
    *last = a.y;
  });
  proof.code.instrumented = true;  // one placement: passes come back to no pointer
  const ProofReport report = prove_mirror(proof, 1, 0);
  EXPECT_EQ(report.failed_check, "back_to_back");
}

TEST(FurtherChecks, AreLeftOutWhereAnotherCaseStandsForThem) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  let_y_lie_in_x(proof);
  ProofOptions options;
  options.thorough = false;
  const ProofReport report =
      prove(proof.device, proof.variant, proof.which, options, &mirror_reference());
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.launches, 5);
  for (const char* check : {"alias", "input_impact", "back_to_back"})
    EXPECT_EQ(count_of(report, check), -1) << check;
}

TEST(FurtherChecks, AreNotMadeOfAKernelThatIsWrongAnyway) {
  MirrorProof proof([](const MirrorArguments&) {});
  EXPECT_EQ(prove_mirror(proof).launches, 5);
}

/// The family with acc as state: every call flips its bits by those of x.
reference::Reference counting_reference() {
  return {[](const reference::Problem& p) {
            mirror_reference().compute(p);
            const auto &x = p.tensor("x"), &acc = p.tensor("acc");
            for (std::int64_t row = 0; row < p.symbol("rows") / 2; ++row)
              for (std::int64_t i = 0; i < p.symbol("width") * 2; ++i)
                acc.data[row * p.symbol("width") * 2 + i] ^= x.data[row * x.row_stride * 2 + i];
          },
          mirror_reference().describe};
}

void run_counting(const MirrorArguments& a) {
  a.run();
  for (std::int64_t row = 0; row < a.rows / 2; ++row)
    for (std::int64_t i = 0; i < a.width * 2; ++i)
      a.acc[row * a.width * 2 + i] ^= a.x[row * a.x_stride * 2 + i];
}

struct CountingProof : MirrorProof {
  explicit CountingProof(MirrorKernel kernel) : MirrorProof(std::move(kernel)) {
    auto family = mirror_family();
    family->tensors[2].role = Role::state;
    family->proof_calls = 3;
    which.geometry.family = family;
  }
};

TEST(Calls, StateLivesFromOneToTheNext) {
  auto states = std::make_shared<std::vector<std::vector<std::byte>>>();
  CountingProof proof([states](const MirrorArguments& a) {
    states->emplace_back(a.acc, a.acc + a.rows * a.width * 2);
    run_counting(a);
    states->emplace_back(a.acc, a.acc + a.rows * a.width * 2);
  });
  const ProofReport report = prove_mirror(proof, 1, 0, counting_reference());
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.passes, 3);
  EXPECT_EQ(count_of(report, "calls"), 3 * 2 * 2 * 6 * 5);
  ASSERT_GE(states->size(), 8u);
  EXPECT_EQ(states->at(2), states->at(1));
  EXPECT_EQ(states->at(4), states->at(3));
  EXPECT_NE(states->at(6), states->at(5));  // another pass
}

TEST(Calls, FindAnUpdateThatIsLostBetweenCalls) {
  // Where a call goes on from the state that the last one left, it takes the one before.
  auto before = std::make_shared<std::vector<std::byte>>();
  auto after = std::make_shared<std::vector<std::byte>>();
  CountingProof proof([before, after](const MirrorArguments& a) {
    const auto bytes = a.rows * a.width * 2;
    const std::vector<std::byte> now(a.acc, a.acc + bytes);
    if (now == *after) std::memcpy(a.acc, before->data(), before->size());
    *before = now;
    run_counting(a);
    after->assign(a.acc, a.acc + bytes);
  });
  const ProofReport report = prove_mirror(proof, 1, 2, counting_reference());
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_EQ(report.failed_check, "calls");
  EXPECT_THAT(report.outcome.message, HasSubstr("call 2: acc of row 0, column 0 holds"));
}

TEST(Exact, LeavesOutWhatItMakesSuperfluousAndSaysSo) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  proof.code.instrumented = true;
  ProofOptions options;
  options.thorough = false;
  const ProofReport report =
      prove(proof.device, proof.variant, proof.which, options, &mirror_reference());
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.mode, "exact");
  EXPECT_EQ(report.launches, 3);
  EXPECT_THAT(proof.device.schedules, ElementsAre(0u, 0u, 0u));
  EXPECT_THAT(proof.device.places, ::testing::Each(Place::low));
  EXPECT_THAT(report.skipped, ElementsAre(HasSubstr("placement"), HasSubstr("schedules")));
  EXPECT_EQ(count_of(report, "writers"), 3 * 6 * 5);
}

TEST(Exact, TellsTheDeviceOfEveryTensorBeforeEachRun) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  proof.code.instrumented = true;
  const ProofReport report = prove_mirror(proof);
  ASSERT_EQ(static_cast<std::int64_t>(proof.device.watched.size()), report.launches - 2);
  const std::vector<WatchedTensor>& tensors = proof.device.watched.front();
  ASSERT_EQ(tensors.size(), 4u);
  const auto is = [](const WatchedTensor& tensor, const char* name, bool initialised, bool writable,
                     std::int64_t stride_bytes) {
    return tensor.name == name && tensor.initialised == initialised &&
           tensor.writable == writable && tensor.rows == 6 && tensor.row_bytes == 10 &&
           tensor.stride_bytes == stride_bytes && tensor.data != 0;
  };
  EXPECT_TRUE(is(tensors[0], "x", true, false, 16));
  EXPECT_TRUE(is(tensors[1], "y", false, true, 16));
  EXPECT_TRUE(is(tensors[2], "acc", true, true, 10));
  EXPECT_TRUE(is(tensors[3], "scratch", false, true, 10));
  EXPECT_EQ(proof.device.watched.back().size(), 8u);  // two arenas back to back
  EXPECT_EQ(proof.device.watched.back().back().name, "scratch of the second run");
}

TEST(Exact, InPlaceTheInputIsWritableAndTheOutputNotWatched) {
  MirrorProof proof(run_in_place);
  let_y_lie_in_x(proof);
  proof.code.instrumented = true;
  const ProofReport report = prove_mirror(proof);
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  const auto in_place =
      std::find_if(proof.device.watched.begin(), proof.device.watched.end(),
                   [](const std::vector<WatchedTensor>& tensors) { return tensors.size() == 3; });
  ASSERT_NE(in_place, proof.device.watched.end());
  EXPECT_EQ((*in_place)[0].name, "x");
  EXPECT_TRUE((*in_place)[0].writable);
}

TEST(Exact, NamesElementsThatNoThreadWrote) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  proof.code.instrumented = true;
  // In row 1 the last two elements; workspaces may stay unwritten.
  proof.device.unwritten_ranges = {{"y", 16 + 6, 4}, {"scratch", 0, 60}};
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::unwritten_output);
  EXPECT_EQ(report.failed_check, "writers");
  EXPECT_EQ(report.outcome.message,
            "x of row 1, column 1 was not written by any thread (and 7 more)");
  ASSERT_EQ(report.mismatches.size(), 8u);
  EXPECT_EQ(report.mismatches[1].text, "x of row 1, column 0 was not written by any thread");
}

TEST(Exact, PlainCodeIsNotWatched) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  proof.device.unwritten_ranges = {{"y", 0, 2}};
  const ProofReport report = prove_mirror(proof);
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.mode, "fast");
  EXPECT_THAT(proof.device.watched, IsEmpty());
}

TEST(Off, ACheckThatIsSwitchedOffFindsNothing) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  let_y_lie_in_x(proof);
  ProofOptions options;
  options.off = {"alias"};
  EXPECT_TRUE(
      prove(proof.device, proof.variant, proof.which, options, &mirror_reference()).outcome.ok());
  options.off = {"guards"};
  EXPECT_EQ(
      prove(proof.device, proof.variant, proof.which, options, &mirror_reference()).failed_check,
      "alias");
}

}  // namespace
}  // namespace fusetune::test
