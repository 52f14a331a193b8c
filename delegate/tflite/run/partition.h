// PartitionModel decides which nodes of a model the delegate takes, and gives a sentence for each one that it leaves.
//
//   1. Each node on its own: can the delegate run it? (ParseNode, then BuildGraph with the sizes in the file)
//      The project's own operators are always taken, since no runtime can run them; what is wrong with one is said
//      when its partition is prepared.
//   2. Together: the runtime tells which partitions the nodes would form. One that TFLite runs as fast goes back to it:
//      without a convolution or fully-connected layer it is not worth the copies at its edges; and with backend auto,
//      one without a packed layer has no zeros to skip. Whether packed layers outweigh the dense ones beside them was
//      the converter's to decide: no runtime can run them without the delegate.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_PARTITION_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_PARTITION_H_

#include <vector>

#include "delegate/tflite/options/options.h"
#include "delegate/tflite/parse/layer_cache.h"
#include "delegate/tflite/parse/model_view.h"
#include "delegate/tflite/report/report.h"

namespace mcpruner {

// Returns a row for each node of the execution plan, in order, and fills view->dequantized.
Result<std::vector<NodeReport>> PartitionModel(ModelView* view, LayerCache* cache, BackendChoice backend);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_PARTITION_H_
