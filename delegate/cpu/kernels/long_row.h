// Where images are narrow, a vector for each row of each channel would be half empty. Tensors of the same pitch have
// their pixels at the same places, so one run of vectors over all channels does for functions of single elements:
//
//     in     a a a ? | b b b ? | c c c ? | ...        what lies between rows is anything
//     out    A A A 0 | B B B 0 | C C C 0 | ...        ... and becomes zeros, as the layout wants them (step/layout.h)
//            [ vector ] [ vector ] [ vector ] ...
//
// The channels must be neighbours in the output, since zeros are written between them.
//
// Only *_simd.cc may include this.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_LONG_ROW_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_LONG_ROW_H_

#include "delegate/cpu/kernels/row_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

class LongRow {
 public:
  // The lanes of a vector that begins in column `at` of channel `channel`.
  struct Place {
    int32_t channel, at;
  };

  // Returns whether rows of `width` pixels that begin every `pitch` floats take fewer vectors this way. What it takes
  // to begin is worth it from about 8 channels on; other numbers were not measured. In place, the rows of their own
  // wait for one another: the load of each overlaps the last vector of the one before, which was stored under a mask.
  static HWY_INLINE bool Pays(int32_t channels, int32_t width, ptrdiff_t pitch, bool in_place) {
    if (channels < 8 || pitch > kMostPitch) return false;
    const int64_t lanes = static_cast<int64_t>(kFloats), by_rows = (width + lanes - 1) / lanes * lanes;
    return in_place ? pitch < by_rows : 8 * pitch <= 7 * by_rows;
  }

  HWY_INLINE LongRow(int32_t channels, int32_t width, ptrdiff_t pitch, const RowEnd& end)
      : pitch_(static_cast<int32_t>(pitch)), size_((channels - 1) * pitch_ + width + end.zeros_behind) {
    for (int32_t i = 0; i < pitch_ + static_cast<int32_t>(kFloats); ++i) {
      channels_[i] = i < pitch_ ? 0 : channels_[i - pitch_] + 1;
      pixels_[i] = i < pitch_ ? -static_cast<int32_t>(i < width) : pixels_[i - pitch_];
    }
  }

  // Writes the row whose pixel 0 of channel 0 is at `out`: f(x, place) returns the elements from float x on. It may
  // return anything where there are no pixels.
  template <class Function>
  HWY_INLINE void Write(float* out, const Function& f) const {
    const Floats d;
    constexpr auto kLanes = static_cast<int32_t>(kFloats);
    Place place{0, 0};
    for (int32_t x = 0; x < size_; x += kLanes) {
      StoreFirst(Pixels(f(x, place), place), d, out + x, static_cast<size_t>(size_ - x));
      for (place.at += kLanes; place.at >= pitch_; place.at -= pitch_) ++place.channel;
    }
  }

  // Returns v with 0 where there are no pixels.
  HWY_INLINE hn::Vec<Floats> Pixels(hn::Vec<Floats> v, const Place& place) const {
    return hn::And(v, hn::BitCast(Floats(), hn::LoadU(Integers(), pixels_ + place.at)));
  }

  // Returns the element of each lane's channel from a list of one for each channel, of which it may read a vector too
  // many.
  HWY_INLINE hn::Vec<Floats> OfChannels(const float* list, const Place& place) const {
    const auto indices = hn::IndicesFromVec(Floats(), hn::LoadU(Integers(), channels_ + place.at));
    return hn::TableLookupLanes(hn::LoadU(Floats(), list + place.channel), indices);
  }

 private:
  using Integers = hn::RebindToSigned<Floats>;
  static constexpr int32_t kMostPitch = 64;

  const int32_t pitch_, size_;
  // For each column, how many channels lie between it and column 0, and all bits where it is a pixel.
  int32_t channels_[kMostPitch + kFloats], pixels_[kMostPitch + kFloats];
};

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_LONG_ROW_H_
