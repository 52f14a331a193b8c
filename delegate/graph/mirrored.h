// This says where an index outside of an axis lies when the axis goes on as its own mirror image.

#ifndef MCPRUNER_DELEGATE_GRAPH_MIRRORED_H_
#define MCPRUNER_DELEGATE_GRAPH_MIRRORED_H_

namespace mcpruner {

// Returns the index within 0..size-1 that `index` mirrors; itself if it lies there. With the edge, the first element is
// its own neighbour, so `index` is from -size to 2 * size - 1; without it, from 1 - size to 2 * size - 2.
constexpr int Mirrored(int index, int size, bool with_edge) {
  const int edge = with_edge ? 1 : 0;
  if (index < 0) return -index - edge;
  return index < size ? index : 2 * (size - 1) - index + edge;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_MIRRORED_H_
