// PartitionModel decides which nodes of a model the delegate takes, and gives a sentence for each one that it leaves.
//
//   0. In a file without packed layers, layers whose weights have zeros are packed where that is predicted to pay
//      (predict/pack_pruned.h), unless option `pack` forbids it.
//   1. Each node on its own: can the delegate run it? (ParseNode, then BuildGraph with the sizes in the file)
//      The project's own operators are always taken, since no runtime can run them; what is wrong with one is said
//      when its partition is prepared.
//   2. Together: the runtime tells which partitions the nodes would form, and Decide (cost/decide.h) which of them are
//      taken. Of a model without packed layers backend auto takes what was measured alone. Where nothing was, its nodes
//      are looked at by name: parsing packs weights, and a model that is left must not load more slowly for it.
//      What step 0 found wrong with a layer is its reason all the same.
//      With backend auto, partitions whose layers were packed at load are taken where `convert` would have packed them.
//   3. With backend auto and a cache_dir, what `mcpruner tune` measured goes before 2's predictions (tuning.h).
//   4. With backend auto, operators at the rim of a partition that is taken go back where TFLite is predicted to run
//      them faster (cost/predictor.h), unless the runtime would make more partitions then.
//
// DENSIFY and DEQUANTIZE nodes that expand constants are taken with the nodes that read them (expanders.h); nothing is
// decided by them.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_PARTITION_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_PARTITION_H_

#include <vector>

#include "delegate/tflite/options/options.h"
#include "delegate/tflite/parse/layer_cache.h"
#include "delegate/tflite/parse/model_view.h"
#include "delegate/tflite/report/report.h"

namespace mcpruner {

// Returns a row for each node of the execution plan, in order, and what was decided of each partition. Fills
// view->expanded and view->packed.
Result<SubgraphReport> PartitionModel(const Options& options, ModelView* view, LayerCache* cache);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_PARTITION_H_
