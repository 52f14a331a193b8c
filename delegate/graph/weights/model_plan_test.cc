#include "delegate/graph/weights/model_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "format/model_plan_generated.h"

namespace mcpruner {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Finish(const format::ModelPlanT& plan) {
  flatbuffers::FlatBufferBuilder builder;
  format::FinishModelPlanBuffer(builder, format::ModelPlan::Pack(builder, &plan));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

// Plans of groups of these sizes for the keys 0, 1, ... and one more of the first key.
format::ModelPlanT Plans(const std::vector<uint8_t>& group_sizes) {
  format::ModelPlanT plan;
  plan.version = 1;
  for (size_t i = 0; i <= group_sizes.size(); ++i) {
    plan.layers.push_back(std::make_unique<format::LayerPlanT>());
    plan.layers.back()->key = i % group_sizes.size();
    plan.layers.back()->group_size = group_sizes[i % group_sizes.size()];
  }
  plan.layers.back()->permutation = {1, 0};
  return plan;
}

TEST(ModelPlan, PlansOfAKeyComeInOrder) {
  Result<ModelPlan> plan = ReadModelPlan(Finish(Plans({4, 8})));
  ASSERT_TRUE(plan.ok()) << plan.message();
  EXPECT_EQ(plan->Next(2), nullptr);
  EXPECT_TRUE(plan->Next(0)->grouping.permutation.empty());
  EXPECT_FALSE(plan->AllUsed());
  for (int time = 0; time < 2; ++time) {  // the last one goes on
    EXPECT_EQ(plan->Next(0)->grouping.permutation, (std::vector<uint16_t>{1, 0}));
  }
  EXPECT_EQ(plan->Next(1)->grouping.group_size, 8);
  EXPECT_TRUE(plan->AllUsed());
}

TEST(ModelPlan, BytesMayLieAnywhere) {
  Bytes bytes = Finish(Plans({4}));
  bytes.insert(bytes.begin(), 3, 0);
  EXPECT_TRUE(ReadModelPlan(Span<const uint8_t>(bytes).subspan(3, bytes.size() - 3)).ok());
}

TEST(ModelPlan, WhatIsNoPlanIsSaid) {
  EXPECT_EQ(ReadModelPlan({}).message(), "expected an MCPP flatbuffer, got 0 bytes that are none");
  const Bytes noise(40, 7);
  EXPECT_EQ(ReadModelPlan(noise).message(), "expected an MCPP flatbuffer, got 40 bytes that are none");
  Bytes cut = Finish(Plans({4}));
  cut.resize(cut.size() / 2);
  EXPECT_FALSE(ReadModelPlan(cut).ok());
  format::ModelPlanT later = Plans({4});
  later.version = 2;
  EXPECT_EQ(ReadModelPlan(Finish(later)).message(),
            "expected version 1 of it, got 2; use the delegate that came with the converter");
  format::ModelPlanT other = Plans({4});
  other.format = static_cast<format::FileFormat>(2);
  EXPECT_EQ(ReadModelPlan(Finish(other)).message(), "expected a format of the file that is 0 or 1, got 2");
  format::ModelPlanT none;
  none.version = 1;
  EXPECT_TRUE(ReadModelPlan(Finish(none))->empty());
}

std::string Error(LayerPlan plan, int filters, int groups = 1) { return CheckPlan(plan, filters, groups).message(); }

TEST(ModelPlan, StatementsOfALayerAreChecked) {
  EXPECT_EQ(CheckPlan({{2, {}}, 0, {}}, 3, 1)->grouping.permutation, (std::vector<uint16_t>{0, 1, 2}));
  EXPECT_EQ(Error({{4, {2, 0, 1}}, 1, {}}, 3), "");
  EXPECT_EQ(Error({{3, {}}, 0, {}}, 3), "expected a group_size that is a power of two, 1 to 16, got 3");
  for (const std::vector<uint16_t>& bad : {std::vector<uint16_t>{0, 1}, {0, 1, 1}, {0, 1, 3}, {0, 1, 2, 3}}) {
    EXPECT_EQ(Error({{2, bad}, 0, {}}, 3),
              "expected a permutation that has each of 3 filters once, got something else");
  }
  EXPECT_EQ(Error({{2, {}}, 3, {}}, 3), "expected a value type that is 0, 1 or 2, got 3");
  EXPECT_EQ(Error({{2, {}}, 2, {1, 2}}, 3), "expected 3 scales, got 2");
  EXPECT_EQ(Error({{2, {}}, 0, {1, 2, 3}}, 3), "expected 0 scales, got 3");
  EXPECT_EQ(Error({{2, {}}, 2, {1, 2, 0}}, 3), "");
  EXPECT_EQ(Error({{2, {}}, 2, {1, 2, NAN}}, 3), "expected scales that are finite and at least 0, got another one");
  EXPECT_EQ(Error({{2, {}}, 2, {1, 2, -1}}, 3), "expected scales that are finite and at least 0, got another one");
}

TEST(ModelPlan, FilterGroupsStayInTheGroupsOfAConvolution) {
  EXPECT_EQ(Error({{2, {1, 0, 3, 2}}, 0, {}}, 4, 2), "");
  for (const Grouping& bad : {Grouping{4, {}}, Grouping{2, {0, 2, 1, 3}}}) {
    EXPECT_EQ(Error({bad, 0, {}}, 4, 2),
              "expected filter groups within each of 2 groups of the convolution, got some that reach over two");
  }
}

}  // namespace
}  // namespace mcpruner
