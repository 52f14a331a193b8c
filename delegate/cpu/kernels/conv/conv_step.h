// ConvStep runs a convolution in HCW directly: every tap of a pattern is one displacement from the window's first
// element.
//
//     stride_w 1     windows are read where the input lies; its borders hold the padding
//     stride_w > 1   the input rows of a band of output rows are copied into scratch with their padding, and their
//                    columns are split by phase (SplitColumns); there the same micro-kernel runs with stride 1:
//
//                  row   a b c d e f      plane 0  a c e        tap kx = 0: plane 0, + 0    kx = 1: plane 1, + 0
//                                         plane 1  b d f        tap kx = 2: plane 0, + 1
//
// Strides in height and dilation only change displacements.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_STEP_H_

#include <memory>
#include <vector>

#include "delegate/cpu/kernels/conv/conv_tables.h"
#include "delegate/cpu/kernels/conv/conv_tiles.h"
#include "delegate/cpu/kernels/row_epilogue.h"
#include "delegate/cpu/step/step.h"
#include "delegate/graph/activation_range.h"

namespace mcpruner {

// Returns null where the window is out of proportion: it spans 2 GiB or more of the input, it needs padding that the
// input has no border for, or it needs more than 16 MB of scratch.
std::unique_ptr<Step> MakeDirectConvStep(const StepContext& context);

class ConvStep : public Step {
 public:
  // A Split says how the input of a band is copied for strides above 1.
  struct Split {
    int planes = 0;         // 0: not copied
    int plane_columns = 0;  // of one channel's row
    int band_rows = 0;      // the most output rows of a band; 0: not copied
    ptrdiff_t channel_stride = 0, row_stride = 0;
    int64_t floats = 0;  // of scratch
  };

  struct Ahead {
    const char* begin = nullptr;
    int lines = 0;
  };

  ConvStep(const StepContext& context, Split split);
  void Run(int share) const override;
  std::optional<RowReach> Reach() const override { return reach_; }
  int64_t ScratchFloats() const override { return split_.floats * (shares_run_in_turn_ ? 1 : num_shares()); }

 private:
  // Fills channels_ and part_filters_.
  void ListChannels();
  // Makes the tiles of these output rows and divides them among `count` shares.
  void AddShares(Range rows, int count);
  ConvTileArgs TileArgs(const ConvTile& tile, const float* scratch) const;
  // Sets vector i of the tile and the zeros beside it.
  void SetVector(const ConvTile& tile, int i, ConvTileArgs* args) const;
  // Returns where the input lies that follows what the tile reads, and how many lines of it the tile should bring in.
  Ahead InputAhead(const ConvTile& tile) const;
  void SplitInput(const ConvBand& band, float* scratch) const;
  // Returns the pixels of the tile, as runs within the rows of a channel.
  UnaryRunsArgs RunsOf(const ConvTileArgs& args) const;
  // Runs parts of a tile and applies an epilogue that needs a pass to what they make.
  void RunParts(const MicroKernels& micro_kernels, const TileParts& work, ConvTileArgs args, UnaryRunsArgs* runs) const;
  bool RowIsRead(int row) const;

  const MicroKernels& micro_kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const TensorRef* const residual_;  // null for none
  const Window window_;
  const std::shared_ptr<const SparseLayer> layer_;
  const RowReach reach_;
  const ActivationRange activation_;
  const RowEpilogue epilogue_;
  const Split split_;
  const bool shares_run_in_turn_;
  const ConvTables tables_;
  const ConvLayerArgs layer_args_;
  // For an epilogue that needs a pass:
  std::vector<int32_t> channels_;      // output channels of the filters of each part
  std::vector<int32_t> part_filters_;  // where those of each part begin, and where the last one's end
  std::vector<ConvTile> tiles_;
  std::vector<std::vector<TileParts>> shares_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_STEP_H_
