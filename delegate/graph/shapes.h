// OutputShape computes the shape that an op makes of its inputs.
//
// There is one function for each op type. It also checks what the shape depends on: the number of inputs, the kind and
// range of the parameters, and that the inputs fit each other. ValidateGraph compares the result with the shape that
// the graph's builder wrote down; the builder may call OutputShape itself.

#ifndef MCPRUNER_DELEGATE_GRAPH_SHAPES_H_
#define MCPRUNER_DELEGATE_GRAPH_SHAPES_H_

#include <string>

#include "delegate/base/status.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Returns a shape as text for messages: "[1, 56, 56, 64]".
std::string ShapeText(const Shape& shape);

// Returns what a reduction leaves of a shape, and how many elements it makes one of.
Shape ReducedShape(const ReduceParams& params, const Shape& in);
int64_t ReducedElements(const ReduceParams& params, const Shape& in);

// Checks that no dimension is negative and that the shape is within kMaxElements.
Status CheckShape(const Shape& shape);

// op.inputs must be valid tensor numbers with shapes that pass CheckShape. op.output is read for kReshape only, whose
// only parameter is the shape of its output. Constants inside the parameters are checked as well: a layer or weights
// that are missing, or that have another size than the shapes say, are an error.
Result<Shape> OutputShape(const Graph& graph, const Op& op);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_SHAPES_H_
