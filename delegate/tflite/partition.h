// Which nodes of a model the delegate takes, and a sentence for each one that it leaves.
//
//   1. Each node on its own: can the delegate run it? (ParseNode, then BuildGraph with the sizes in the file)
//      The project's own operators are always taken, since no runtime can run them; what is wrong with one is said
//      when its partition is prepared.
//   2. Together: the runtime tells which partitions the nodes would form. One that TFLite runs as fast goes back to it:
//      without a convolution or fully-connected layer it is not worth the copies at its edges; and with backend auto,
//      one without a packed layer has no zeros to skip. Whether packed layers outweigh the dense ones beside them was
//      the converter's to decide: no runtime can run them without the delegate.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARTITION_H_
#define MCPRUNER_DELEGATE_TFLITE_PARTITION_H_

#include <string>
#include <vector>

#include "delegate/tflite/layer_cache.h"
#include "delegate/tflite/model_view.h"
#include "delegate/tflite/options.h"

namespace mcpruner {

struct NodeReport {
  int node = -1;  // index in the model
  std::string name;
  std::string op;
  bool taken = false;
  bool has_weights = false;  // a convolution or fully-connected layer: worth a line when it is left
  bool packed = false;       // one of the project's own operators
  std::string reason;        // why it is left
};

// Rows for all nodes of the execution plan, in order. Fills view->dequantized.
Result<std::vector<NodeReport>> PartitionModel(ModelView* view, LayerCache* cache, BackendChoice backend);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARTITION_H_
