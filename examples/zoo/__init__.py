"""Networks as people have them, for `make zoo`: Keras 3, random weights with fixed seeds, logits without a softmax."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import keras

from zoo import classification, dense_prediction, detection, signatures
from zoo.blocks import draw_weights


@dataclass(frozen=True)
class Network:
    """A network and what to run it on.

    Attributes
    ----------
    make
        Builds it; its weights are drawn afterwards, by `build`.
    shape
        Shape of its one input where that is not what its file says, a batch of 1 in the first place.
    pixels
        Whether it begins by scaling pixels of 0 to 255. Of numbers around 0 that would make images of one grey, in
        which rounding errors are a large share of what differs.
    """

    make: Callable[[], keras.Model]
    shape: tuple[int, ...] | None = None
    pixels: bool = False

    def build(self) -> keras.Model:
        """Make the network, always with the same weights."""
        keras.utils.set_random_seed(0)
        model = self.make()
        draw_weights(model)
        return model


# The name in Keras, and the size of the images that the network was published for.
_APPLICATIONS = {
    "efficientnet_b0": ("EfficientNetB0", 224),
    "efficientnet_v2_b0": ("EfficientNetV2B0", 224),
    "mobilenet_v1": ("MobileNet", 224),
    "mobilenet_v2": ("MobileNetV2", 224),
    "mobilenet_v3_small": ("MobileNetV3Small", 224),
    "mobilenet_v3_large": ("MobileNetV3Large", 224),
    "resnet50": ("ResNet50", 224),
    "resnet50_v2": ("ResNet50V2", 224),
    "densenet121": ("DenseNet121", 224),
    "inception_v3": ("InceptionV3", 299),
    "xception": ("Xception", 299),
    "nasnet_mobile": ("NASNetMobile", 224),
    "vgg16": ("VGG16", 224),
    "convnext_tiny": ("ConvNeXtTiny", 224),
}
_MAKERS: dict[str, Callable[[], keras.Model]] = {
    **{name: classification.application(*published) for name, published in _APPLICATIONS.items()},
    **{f"unet_{u}": functools.partial(dense_prediction.unet, u) for u in dense_prediction.UPSAMPLINGS},
    "deeplab": dense_prediction.deeplab,
    **{f"yolo_{a}": functools.partial(detection.yolo, a) for a in detection.ACTIVATIONS},
    "ssd": detection.ssd,
    "centernet": dense_prediction.centernet,
    "hourglass": dense_prediction.hourglass,
    **{f"espcn_{a}": functools.partial(dense_prediction.espcn, a) for a in ("prelu", "tanh")},
    "crnn": detection.crnn,
    "ds_cnn": detection.ds_cnn,
    **{f"shufflenet_{v}": functools.partial(classification.shufflenet, v) for v in classification.SHUFFLES},
    "resnext": classification.resnext,
    **{f"{n}_norm": functools.partial(classification.normalised, n) for n in classification.NORMS},
    "landmarks": detection.landmarks,
    **{f"squeeze_excite_{g}": functools.partial(classification.squeeze_excite, g) for g in classification.GATES},
    "siamese": signatures.siamese,
    "multi_input": signatures.multi_input,
    "uint8_input": signatures.uint8_input,
    "dynamic_batch": signatures.dynamic_batch,
    "dynamic_size": signatures.dynamic_size,
}
_SHAPES = {"dynamic_batch": (4, 64, 64, 3), "dynamic_size": (1, 120, 152, 3)}

_PIXELS = ("efficientnet_b0", "efficientnet_v2_b0", "mobilenet_v3_small", "mobilenet_v3_large", "convnext_tiny")

ZOO = {name: Network(make, _SHAPES.get(name), name in _PIXELS) for name, make in _MAKERS.items()}
