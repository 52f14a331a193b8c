// Convolution in HCW: every tap of a pattern is one displacement from the window's first element.
//
//     stride_w 1   windows are read where the input lies; its borders hold the padding
//     stride_w > 1 the input rows of a tile are copied into scratch, columns apart by phase (SplitColumns), padding
//                  with them; there the same kernel runs with stride 1:
//
//                  row   a b c d e f      plane 0  a c e        tap kx = 0: plane 0, + 0    kx = 1: plane 1, + 0
//                                         plane 1  b d f        tap kx = 2: plane 0, + 1
//
// Strides in height and dilation only change displacements. 1x1 images run as fully-connected layers.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_STEP_H_

#include <memory>
#include <vector>

#include "delegate/cpu/activation_range.h"
#include "delegate/cpu/kernels/conv/conv_tables.h"
#include "delegate/cpu/kernels/conv/conv_tiles.h"
#include "delegate/cpu/step.h"

namespace mcpruner {

// Null where the window is out of proportion: padding that the input has no border for, or scratch beyond 16 MB.
std::unique_ptr<Step> MakeConvStep(const StepContext& context);

class ConvStep : public Step {
 public:
  // How a tile's input is copied for strides above 1.
  struct Split {
    int planes = 0;         // 0: not copied
    int extra_columns = 0;  // of a plane, beyond the tile's vectors
    int plane_columns = 0;  // of the widest tile
    int tile_rows = 0;      // output rows of the tallest tile
    int rows = 0;           // input rows of the tallest tile
    ptrdiff_t channel_stride = 0, row_stride = 0;
    std::vector<bool> row_is_read;  // by some tap of some of the tile's rows
    int64_t floats() const { return int64_t{rows} * row_stride; }
  };

  ConvStep(const StepContext& context, std::vector<ConvTile> tiles, Split split);
  void Run(int share) const override;
  int64_t ScratchFloats() const override { return split_.floats() * num_shares(); }

 private:
  ConvTileArgs TileArgs(const ConvTile& tile) const;
  // Copies what the tile reads; returns the first element of its first window.
  const float* SplitInput(const ConvTile& tile, float* scratch) const;

  const KernelTable& kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const TensorRef* const residual_;  // null for none
  const Window window_;
  const std::shared_ptr<const SparseLayer> layer_;
  const ActivationRange activation_;
  const std::vector<ConvTile> tiles_;
  const Split split_;
  const ConvTables tables_;
  const ConvLayerArgs layer_args_;
  std::vector<std::vector<ConvWork>> shares_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_STEP_H_
