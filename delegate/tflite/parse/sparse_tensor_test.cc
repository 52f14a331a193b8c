#include "delegate/tflite/parse/sparse_tensor.h"

#include <gtest/gtest.h>

#include <climits>
#include <string>
#include <vector>

#include "delegate/tflite/parse/model_view.h"
#include "delegate/tflite/testing/fake_model.h"
#include "delegate/tflite/testing/sparse_parts.h"

namespace mcpruner {
namespace {

using Floats = std::vector<float>;

// The example of the header.
SparseParts Blocks() {
  SparseParts parts({0, 1, 2}, {1});
  parts.Dense(2).Sparse({0, 1, 2}, {1, 0}).Dense(4);
  return parts;
}
const Floats kBlockValues = {1, 2, 3, 4, 5, 6, 7, 8};

Result<Floats> Expand(SparseParts* parts, const Dims& dims, const Floats& values) {
  FakeModel model;
  const int tensor = model.Constant("s", dims, values);
  model.At(tensor).sparsity = parts->get();
  return ExpandSparse(model.At(tensor));
}

std::string Error(SparseParts parts, const Dims& dims, const Floats& values) {
  return Expand(&parts, dims, values).message();
}

TEST(SparseTensor, BlocksAreExpanded) {
  SparseParts parts = Blocks();
  const Result<Floats> dense = Expand(&parts, {2, 8}, kBlockValues);
  ASSERT_TRUE(dense.ok()) << dense.message();
  EXPECT_EQ(*dense, (Floats{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0}));
}

TEST(SparseTensor, ColumnsMayComeFirst) {
  SparseParts parts({1, 0}, {});
  parts.Dense(3).Sparse({0, 2, 2, 3}, {0, 1, 1});
  const Result<Floats> dense = Expand(&parts, {2, 3}, {1, 2, 3});
  ASSERT_TRUE(dense.ok()) << dense.message();
  EXPECT_EQ(*dense, (Floats{1, 0, 0, 2, 0, 3}));
}

TEST(SparseTensor, LevelsMayBeSparseOneAboveTheOther) {
  SparseParts parts({0, 1}, {});
  parts.Sparse({0, 1}, {2}).Sparse({0, 2}, {0, 3});
  const Result<Floats> dense = Expand(&parts, {3, 4}, {5, 6});
  ASSERT_TRUE(dense.ok()) << dense.message();
  EXPECT_EQ(*dense, (Floats{0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 6}));
}

TEST(SparseTensor, OfAnIndexThatComesTwiceTheLastValueStays) {
  SparseParts parts({0}, {});
  parts.Sparse({0, 2}, {1, 1});
  EXPECT_EQ(*Expand(&parts, {3}, {5, 6}), (Floats{0, 6, 0}));
}

TEST(SparseTensor, HalvesAreExpanded) {
  FakeModel model;
  const uint16_t halves[] = {0x3C00, 0xC100};  // 1, -2.5
  const int tensor = model.Constant("s", {1, 3}, halves, sizeof halves, kTfLiteFloat16);
  SparseParts parts({0, 1}, {});
  model.At(tensor).sparsity = parts.Dense(1).Sparse({0, 2}, {0, 2}).get();
  EXPECT_EQ(*ExpandSparse(model.At(tensor)), (Floats{1, 0, -2.5f}));
  model.At(tensor).bytes = 3;
  EXPECT_EQ(ExpandSparse(model.At(tensor)).message(), "3 bytes of values are no whole number of them");
}

TEST(SparseTensor, OrdersThatDoNotFitAreRefused) {
  const auto error = [](const std::vector<int>& order, const std::vector<int>& blocks) {
    SparseParts parts(order, blocks);
    parts.Dense(2).Sparse({0, 1, 2}, {1, 0}).Dense(4);
    return Error(std::move(parts), {2, 8}, kBlockValues);
  };
  EXPECT_EQ(error({0, 1, 2}, {1}), "");
  EXPECT_EQ(error({0, 1}, {1}), "2 dimensions and 1 blocks do not fit the traversal order [0, 1] and 3 levels");
  EXPECT_EQ(error({0, 1, 2}, {}), "2 dimensions and 0 blocks do not fit the traversal order [0, 1, 2] and 3 levels");
  EXPECT_EQ(error({0, 1, 2}, {2}), "the block map [2] does not name some of 2 dimensions in ascending order");
  EXPECT_EQ(error({0, 1, 2}, {-1}), "the block map [-1] does not name some of 2 dimensions in ascending order");
  for (const Dims& order : {Dims{0, 0, 2}, Dims{0, 2, 1}, Dims{0, 1, 1}, Dims{0, 1, 3}, Dims{0, INT_MIN, 2}}) {
    EXPECT_EQ(error(order, {1}),
              "the traversal order " + DimsText(order) + " is none that TFLite reads for 2 dimensions");
  }
  SparseParts none({}, {});
  EXPECT_EQ(Error(std::move(none), {}, {1}),
            "0 dimensions and 0 blocks do not fit the traversal order [] and 0 levels");
}

// TFLite takes the size of block 0 from level 4 of this one, which is that of block 1.
TEST(SparseTensor, OrdersOfBlocksThatTfliteMisreadsAreRefused) {
  SparseParts parts({0, 1, 2, 4, 5, 3}, {0, 1, 2});
  parts.Dense(1).Dense(1).Dense(1).Dense(2).Dense(3).Dense(4);
  EXPECT_EQ(Error(std::move(parts), {4, 2, 3}, Floats(24)),
            "the traversal order [0, 1, 2, 4, 5, 3] is none that TFLite reads for 3 dimensions");
  SparseParts twisted({0, 1, 3, 2}, {0, 1});
  twisted.Dense(1).Dense(1).Dense(3).Dense(2);
  EXPECT_EQ(*Expand(&twisted, {2, 3}, {1, 2, 3, 4, 5, 6}), (Floats{1, 3, 5, 2, 4, 6}));
}

TEST(SparseTensor, BlocksThatDoNotFitAreRefused) {
  const auto error = [](const TfLiteDimensionMetadata& block) {
    SparseParts parts({0, 1, 2}, {1});
    parts.Dense(2).Sparse({0, 1, 2}, {1, 0}).Level(block);
    return Error(std::move(parts), {2, 8}, kBlockValues);
  };
  const IntArrayPtr segments = MakeIntArray({0, 1, 2}), indices = MakeIntArray({0, 0});
  EXPECT_EQ(error({kTfLiteDimSparseCsr, 4, segments.get(), indices.get()}),
            "level 2 is a sparse block dimension, on which TFLite ends the process; write the file again");
  for (const int size : {0, -1, 3, 16, INT_MAX}) {
    EXPECT_EQ(error({kTfLiteDimDense, size, nullptr, nullptr}),
              "level 2 has blocks of " + std::to_string(size) + ", which do not divide a dimension of 8");
  }
}

TEST(SparseTensor, LevelsThatDoNotFitAreRefused) {
  const auto error = [](const TfLiteDimensionMetadata& rows, const Dims& segments, const Dims& indices) {
    SparseParts parts({0, 1}, {});
    parts.Level(rows).Sparse(segments, indices);
    return Error(std::move(parts), {2, 3}, {1, 2});
  };
  const TfLiteDimensionMetadata two = {kTfLiteDimDense, 2, nullptr, nullptr};
  EXPECT_EQ(error(two, {0, 1, 2}, {0, 2}), "");
  EXPECT_EQ(error({kTfLiteDimDense, 3, nullptr, nullptr}, {0, 1, 2}, {0, 2}), "level 0 has 3 children instead of 2");
  EXPECT_EQ(error({static_cast<TfLiteDimensionType>(7), 2, nullptr, nullptr}, {0, 1, 2}, {0, 2}),
            "level 0 has the unknown format 7");
  EXPECT_EQ(error({kTfLiteDimSparseCsr, 2, nullptr, nullptr}, {0, 1, 2}, {0, 2}),
            "level 0 has 0 segments for 1 nodes, not one more");
  EXPECT_EQ(error(two, {0, 2}, {0, 2}), "level 1 has 2 segments for 2 nodes, not one more");
  for (const Dims& bad : {Dims{1, 1, 2}, Dims{0, 3, 2}, Dims{0, 1, 1}, Dims{0, -1, 2}, Dims{0, 1, INT_MAX}}) {
    EXPECT_EQ(error(two, bad, {0, 2}), "level 1 has segments that do not ascend from 0 to its 2 indices");
  }
  EXPECT_EQ(error(two, {0, 1, 2}, {0, 3}), "level 1 has the index 3, of 3");
  EXPECT_EQ(error(two, {0, 1, 2}, {-1, 2}), "level 1 has the index -1, of 3");
  EXPECT_EQ(error(two, {0, 1, 3}, {0, 1, 2}), "there are 2 values for 3 places");
  EXPECT_EQ(error(two, {0, 4, 7}, {0, 0, 0, 0, 1, 1, 1}), "level 1 has 7 indices for 6 places");
}

TEST(SparseTensor, ShapesThatClaimTooMuchAreRefused) {
  const auto error = [](const Dims& dims) {
    SparseParts parts({0, 1, 2, 3}, {});
    for (const int dim : dims) parts.Dense(dim);
    return Error(std::move(parts), dims, {1});
  };
  EXPECT_EQ(error({0, 1, 1, 1}), "the shape [0, 1, 1, 1] has no elements");
  EXPECT_EQ(error({-1, 1, 1, 1}), "the shape [-1, 1, 1, 1] has no elements");
  EXPECT_EQ(error({1024, 1, 1, 1025}), "1 values are too few for the shape [1024, 1, 1, 1025]");
  EXPECT_EQ(error({INT_MAX, INT_MAX, INT_MAX, 4}),
            "1 values are too few for the shape [2147483647, 2147483647, 2147483647, 4]");
}

TEST(SparseTensor, FullyConnectedReadsRowsOfElementsOrOfFour) {
  const auto reads = [](SparseParts parts, const Dims& dims) {
    FakeModel model;
    const int tensor = model.Constant("s", dims, {1});
    model.At(tensor).sparsity = parts.get();
    return IsSparseMatrix(model.At(tensor));
  };
  EXPECT_TRUE(reads(Blocks(), {2, 8}));
  EXPECT_FALSE(reads(Blocks(), {2, 2, 4}));
  const auto matrix = [](const Dims& order, const Dims& map) { return SparseParts(order, map); };
  EXPECT_TRUE(reads(std::move(matrix({0, 1}, {}).Dense(2).Sparse({0, 0, 1}, {0})), {2, 8}));
  EXPECT_FALSE(reads(std::move(matrix({1, 0}, {}).Dense(8).Sparse({0, 0, 1}, {0})), {2, 8}));
  EXPECT_FALSE(reads(std::move(matrix({0, 1}, {}).Dense(2).Dense(8)), {2, 8}));
  EXPECT_FALSE(reads(std::move(matrix({0, 1, 2}, {1}).Dense(2).Sparse({0, 0, 1}, {0}).Dense(2)), {2, 8}));
  EXPECT_FALSE(reads(std::move(matrix({0, 1, 2}, {0}).Dense(2).Sparse({0, 0, 1}, {0}).Dense(4)), {8, 2}));
  EXPECT_FALSE(reads(matrix({}, {}), {2, 8}));
}

}  // namespace
}  // namespace mcpruner
