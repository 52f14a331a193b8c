// Expanders are the nodes that do nothing but expand a constant. They are taken with the nodes that read what they
// make, so that no runtime expands anything.
//
//     sparse weights ── DENSIFY ──> f32 ──> CONV_2D            f16 weights ── DEQUANTIZE ──> f32 ──┬─> CONV_2D (taken)
//                       taken               taken                             left                 └─> POW (left)
//
// The delegate reads the constants themselves (parse/model_view.h), so nobody reads the expanded tensors, which would
// take as much memory as a dense model. An expander is taken where all readers of what it makes are taken and read it
// as a constant, and the caller does not read it. It computes nothing: a partition leaves it out, and a tensor that
// passes to another partition gets no elements (delegated_partition.h).
//
// A runtime puts expanders into the first partition that it makes, or into one of their own, and ends a partition in
// front of one that is left. So partitions are asked for with the expanders that would be taken. Where there are more
// partitions with them than without, not counting those of expanders alone, no expander is taken.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_EXPANDERS_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_EXPANDERS_H_

#include <set>
#include <vector>

#include "delegate/tflite/parse/model_view.h"
#include "delegate/tflite/report/report.h"
#include "delegate/tflite/run/preview.h"

namespace mcpruner {

class Expanders {
 public:
  // `computed` are the tensors that nodes read from memory. `rows`, here and below, has one for each of `nodes`, in
  // order, of which those of expanders are not taken. `view` and `nodes` must outlive this.
  Expanders(const ModelView& view, const std::vector<NodeRef>& nodes, const std::set<int>& computed,
            const std::vector<NodeReport>& rows);

  // Returns the partitions that the runtime would make of the rows that are taken and of their expanders, without the
  // latter.
  std::vector<Candidate> Partitions(const std::vector<NodeReport>& rows) const;
  // Marks expanders as taken, when everything else is decided.
  void Claim(std::vector<NodeReport>* rows) const;

 private:
  std::vector<NodeReport> WithExpanders(std::vector<NodeReport> rows) const;
  std::vector<Candidate> PartitionsWith(const std::vector<NodeReport>& rows) const;

  const ModelView& view_;
  const std::vector<NodeRef>& nodes_;
  std::set<int> needed_;        // tensors that the caller or a node reads from memory
  std::set<size_t> expanders_;  // rows; none where they stay with the runtime
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_EXPANDERS_H_
