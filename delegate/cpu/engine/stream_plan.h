// Which ops are streamed, and how: a chain of ops runs band by band of rows, so that what passes between its ops stays
// in the L2 cache instead of going out to L3 or memory and back.
//
//     op by op       [ expand  all rows ][ depthwise  all rows ][ project  all rows ]      each tensor written, then
//     read streamed       [e][d][p] [e][d][p] [e][d][p] ...                                     a few rows of each at a
//     time
//
// A chain is a run of neighbours in Graph::ops, each of which reads the output of the one before as its first input and
// whose steps say which of its rows they read for a row of their own (RowReach). What lies between them is read by
// nobody else. For a band of rows of the last op's output, the ops before it make what is missing of the rows that are
// read:
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

// What the step of each op of a graph says of itself (Step::Reach).
using Reaches = std::vector<std::optional<RowReach>>;

// Ops first_op .. first_op + num_ops - 1 of a graph. One op alone has no bands.
struct Chain {
  size_t first_op = 0, num_ops = 1;
  int band_rows = 0;  // of the last op's output, at most
};

// All ops of a graph, in order, cut into chains, so that of tensors larger than a cache of `l2_bytes` as much as
// possible lies within chains whose bands fit half of that cache. What fits the cache anyway gains nothing and is not
// streamed. `layouts` are those of graph.tensors, `reaches` those of the ops' steps.
std::vector<Chain> PlanChains(const Graph& graph, const std::vector<HcwLayout>& layouts, const Reaches& reaches,
                              int64_t l2_bytes);

// One band, for each op of a chain.
struct Band {
  struct OpRows {
    Range made;   // rows of the op's output that it makes now; may be none
    Range there;  // rows that the next op reads, which may be padding (below 0, or beyond the image)
  };
  int image = 0;
  std::vector<OpRows> ops;
};

// Bands of at most `band_rows` rows for rows of the last op's output, which are counted over all images.
std::vector<Band> PlanBands(const Graph& graph, const Chain& chain, const Reaches& reaches, Range rows);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_STREAM_PLAN_H_
