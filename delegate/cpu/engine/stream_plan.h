// This plan says which ops are streamed, and how. A chain of ops runs band by band: each op makes a few rows, then the
// next op reads them. What passes between the ops then stays in the L2 cache instead of going out to L3 or memory and
// back.
//
//     op by op     [ expand, all rows ][ depthwise, all rows ][ project, all rows ]     each tensor is written as a
//                                                                                       whole, then read as a whole
//     streamed     [e][d][p] [e][d][p] [e][d][p] ...                                    a few rows of each at a time
//
// The ops of a chain are neighbours in Graph::ops. Each of them reads the output of the one before as its first input,
// and its step says which of those rows it reads for a row of its own (RowReach). Nobody else reads the tensors between
// them. For a band of rows of the last op's output, each op before it makes those rows that will be read and are not
// there yet:
//
//     band 0                  band 1
//     op 0   0 1 2 3 4        5 6 7 8             rows that it makes now
//     between  0 1 2 3 4        3 4 5 6 7 8       rows of its output that are there: 3 and 4 are kept from band 0
//     op 1   0 1 2 3          4 5 6 7             3x3: row y reads y - 1, y and y + 1 (row -1 is padding)

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_STREAM_PLAN_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_STREAM_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/cpu/step/layout.h"
#include "delegate/cpu/step/step.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Reaches has, for each op of a graph, what its step returns from Step::Reach.
using Reaches = std::vector<std::optional<RowReach>>;

// A chain is ops first_op .. first_op + num_ops - 1 of a graph. An op that is alone in its chain has no bands.
struct Chain {
  size_t first_op = 0, num_ops = 1;
  int band_rows = 0;  // the most rows of the last op's output in a band
};

// Cuts all ops of a graph, in order, into chains. Of the tensors that are larger than a cache of `l2_bytes`, as much as
// possible then lies within chains whose bands fit half of that cache. A tensor that fits the cache anyway gains
// nothing and is not streamed. `layouts` has an element for each of graph.tensors, `reaches` for each op.
std::vector<Chain> PlanChains(const Graph& graph, const std::vector<HcwLayout>& layouts, const Reaches& reaches,
                              int64_t l2_bytes);

// A band says, for each op of a chain, which rows it makes and which rows the next op finds.
struct Band {
  struct OpRows {
    Range made;   // rows of the op's output that it makes now; may be none
    Range there;  // rows that the next op reads, which may be padding (below 0, or beyond the image)
  };
  int image = 0;
  std::vector<OpRows> ops;
};

// Cuts rows of the last op's output, counted over all images, into bands of at most `band_rows` rows.
std::vector<Band> PlanBands(const Graph& graph, const Chain& chain, const Reaches& reaches, Range rows);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_STREAM_PLAN_H_
