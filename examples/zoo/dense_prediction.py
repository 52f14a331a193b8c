"""Networks whose output is an image: segmentation, key points, super-resolution."""

from collections.abc import Callable

import keras
from keras import layers

from zoo.blocks import Activation, Tensor, batch_norm, conv, prelu, relu, residual, tanh


def _transposed(x: Tensor, filters: int) -> Tensor:
    return relu(batch_norm(layers.Conv2DTranspose(filters, 2, 2, padding="same", use_bias=False)(x)))


def _resized(interpolation: str) -> Callable[[Tensor, int], Tensor]:
    return lambda x, filters: conv(layers.UpSampling2D(2, interpolation=interpolation)(x), filters, 3)


UPSAMPLINGS = {"transpose": _transposed, "nearest": _resized("nearest"), "bilinear": _resized("bilinear")}


def unet(upsampling: str) -> keras.Model:
    """U-Net (Ronneberger et al., arXiv 1505.04597) with 32 filters at first, in one of the `UPSAMPLINGS`."""
    inputs = x = keras.Input((128, 128, 3), name="image")
    skips = []
    for filters in (32, 64, 128):
        x = conv(conv(x, filters), filters)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = conv(conv(x, 256), 256)
    for skip in reversed(skips):
        filters = skip.shape[-1]
        x = layers.Concatenate()([UPSAMPLINGS[upsampling](x, filters), skip])
        x = conv(conv(x, filters), filters)
    return keras.Model(inputs, layers.Conv2D(2, 1)(x), name=f"unet_{upsampling}")


def deeplab() -> keras.Model:
    """A residual network with dilated convolutions, pyramid pooling and bilinear resizes (arXiv 1706.05587)."""
    inputs = keras.Input((192, 192, 3), name="image")
    x = conv(inputs, 32, 3, 2)
    low = x = residual(x, 32, 2)
    x = residual(x, 64, 2)
    x = residual(x, 128, 2)
    for dilation in (2, 2, 4):
        x = residual(x, 128, dilation=dilation)
    size = x.shape[1]
    pooled = conv(layers.GlobalAveragePooling2D(keepdims=True)(x), 64, 1)
    branches = [conv(x, 64, 1), *(conv(x, 64, 3, dilation=d) for d in (3, 6, 9))]
    branches.append(layers.UpSampling2D(size, interpolation="bilinear")(pooled))
    x = conv(layers.Concatenate()(branches), 64, 1)
    x = layers.UpSampling2D(4, interpolation="bilinear")(x)
    x = conv(layers.Concatenate()([x, conv(low, 16, 1)]), 64)
    x = layers.Conv2D(21, 1)(x)
    return keras.Model(inputs, layers.UpSampling2D(4, interpolation="bilinear")(x), name="deeplab")


def centernet() -> keras.Model:
    """A residual network, three transposed convolutions and a head each for centres, sizes and offsets."""
    inputs = keras.Input((192, 192, 3), name="image")
    x = layers.MaxPooling2D(3, 2, padding="same")(conv(inputs, 32, 7, 2))
    for filters, stride in ((32, 1), (64, 2), (128, 2), (256, 2)):
        x = residual(residual(x, filters, stride), filters)
    for filters in (128, 64, 32):
        x = layers.Conv2DTranspose(filters, 4, 2, padding="same", use_bias=False)(conv(x, filters))
        x = relu(batch_norm(x))
    heads = [layers.Conv2D(count, 1)(conv(x, 32)) for count in (20, 2, 2)]
    heads[0] = layers.Activation("sigmoid")(heads[0])
    return keras.Model(inputs, heads, name="centernet")


def _hourglass(x: Tensor, filters: int, depth: int) -> Tensor:
    upper = residual(x, filters)
    lower = residual(layers.MaxPooling2D()(x), filters)
    lower = residual(lower, filters) if depth == 1 else _hourglass(lower, filters, depth - 1)
    lower = layers.UpSampling2D()(residual(lower, filters))
    return layers.Add()([upper, lower])


def hourglass() -> keras.Model:
    """Two stacked hourglasses (Newell et al., arXiv 1603.06937) for the key points of a pose."""
    inputs = keras.Input((128, 128, 3), name="image")
    x = residual(conv(inputs, 32, 7, 2), 64)
    x = residual(layers.MaxPooling2D()(x), 64)
    outputs = []
    for _ in range(2):
        before = x
        x = conv(residual(_hourglass(x, 64, 3), 64), 64, 1)
        outputs.append(layers.Conv2D(16, 1)(x))
        x = layers.Add()([before, layers.Conv2D(64, 1)(x), layers.Conv2D(64, 1)(outputs[-1])])
    return keras.Model(inputs, outputs, name="hourglass")


@keras.saving.register_keras_serializable("zoo")
class DepthToSpace(layers.Layer):
    """TensorFlow's operation of this name, which Keras has no layer for.

    Attributes
    ----------
    size
        How many times as many rows and columns the output has.
    """

    def __init__(self, size: int, **options: object) -> None:
        super().__init__(**options)
        self.size = size

    def call(self, x: Tensor) -> Tensor:
        """Move channels into blocks of `size` x `size` pixels."""
        import tensorflow as tf

        return tf.nn.depth_to_space(x, self.size)

    def get_config(self) -> dict:
        """Everything that `__init__` takes."""
        return {**super().get_config(), "size": self.size}


def espcn(activation: str) -> keras.Model:
    """ESPCN (Shi et al., arXiv 1609.05158): three times as many pixels, with PReLU or tanh as `activation` says."""
    function: Activation = {"prelu": prelu, "tanh": tanh}[activation]
    inputs = keras.Input((120, 160, 3), name="image")
    x = function(layers.Conv2D(64, 5, padding="same")(inputs))
    x = function(layers.Conv2D(64, 3, padding="same")(x))
    x = function(layers.Conv2D(32, 3, padding="same")(x))
    x = layers.Conv2D(27, 3, padding="same")(x)
    return keras.Model(inputs, DepthToSpace(3)(x), name=f"espcn_{activation}")
