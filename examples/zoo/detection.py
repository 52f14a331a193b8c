"""Networks that find things: YOLO, SSD, the landmarks of a face."""

import keras
from keras import layers

from zoo.blocks import Activation, Tensor, conv, leaky_relu, mish, prelu, relu, separable, silu

ACTIVATIONS = {"leaky": leaky_relu, "silu": silu, "mish": mish}


def _cross_stage(x: Tensor, filters: int, depth: int, activation: Activation) -> Tensor:
    """A cross-stage partial block: half of the channels pass residual blocks, the other half goes around them."""
    half = filters // 2
    around, through = conv(x, half, 1, activation=activation), conv(x, half, 1, activation=activation)
    for _ in range(depth):
        y = conv(conv(through, half, 1, activation=activation), half, 3, activation=activation)
        through = layers.Add()([through, y])
    return conv(layers.Concatenate()([around, through]), filters, 1, activation=activation)


def yolo(activation: str) -> keras.Model:
    """A small YOLO with one of the `ACTIVATIONS`: cross-stage blocks, a feature pyramid, raw boxes of three scales."""
    function = ACTIVATIONS[activation]
    inputs = keras.Input((256, 256, 3), name="image")
    x = conv(inputs, 16, 3, 2, function)
    features = []
    for filters, depth in ((32, 1), (64, 2), (128, 2), (256, 1)):
        x = _cross_stage(conv(x, filters, 3, 2, function), filters, depth, function)
        features.append(x)
    pools = [x, *(layers.MaxPooling2D(size, 1, padding="same")(x) for size in (5, 9, 13))]
    x = conv(layers.Concatenate()(pools), 256, 1, activation=function)
    outputs = [layers.Conv2D(3 * 25, 1)(x)]
    for skip in (features[2], features[1]):
        filters = skip.shape[-1]
        x = layers.UpSampling2D()(conv(x, filters, 1, activation=function))
        x = _cross_stage(layers.Concatenate()([x, skip]), filters, 1, function)
        outputs.append(layers.Conv2D(3 * 25, 1)(x))
    return keras.Model(inputs, outputs, name=f"yolo_{activation}")


def ssd() -> keras.Model:
    """SSD (Liu et al., arXiv 1512.02325) on a small VGG: boxes and classes of four scales, each in one list."""
    inputs = x = keras.Input((224, 224, 3), name="image")
    for filters in (32, 64, 128):
        x = layers.MaxPooling2D()(conv(conv(x, filters), filters))
    features = [conv(x, 256)]
    for filters in (256, 256, 128):
        features.append(conv(conv(features[-1], filters // 2, 1), filters, 3, 2))
    boxes, classes = [], []
    for feature in features:
        boxes.append(layers.Reshape((-1, 4))(layers.Conv2D(4 * 4, 3, padding="same")(feature)))
        classes.append(layers.Reshape((-1, 21))(layers.Conv2D(4 * 21, 3, padding="same")(feature)))
    outputs = [layers.Concatenate(axis=1)(boxes), layers.Softmax()(layers.Concatenate(axis=1)(classes))]
    return keras.Model(inputs, outputs, name="ssd")


def _face_block(x: Tensor, filters: int, stride: int = 1) -> Tensor:
    """Depthwise and pointwise convolution with PReLU behind the sum; the shortcut gets channels of zeros."""
    y = layers.DepthwiseConv2D(3, stride, padding="same")(x)
    y = layers.Conv2D(filters, 1)(y)
    if stride > 1:
        x = layers.MaxPooling2D(stride)(x)
    missing = filters - x.shape[-1]
    if missing:
        x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, missing)))
    return prelu(layers.Add()([x, y]))


def landmarks() -> keras.Model:
    """A network of PReLU like those of MediaPipe (arXiv 1907.06724): 468 points of a face, and a score."""
    inputs = keras.Input((192, 192, 3), name="image")
    x = prelu(layers.Conv2D(16, 3, 2, padding="same")(inputs))
    for filters, blocks in ((16, 2), (32, 3), (64, 3), (128, 3), (128, 3)):
        for i in range(blocks):
            x = _face_block(x, filters, 2 if i == 0 and filters > 16 else 1)
    points = prelu(layers.Conv2D(32, 1)(x))
    points = layers.Flatten()(layers.Conv2D(3 * 468, points.shape[1])(points))
    score = layers.Flatten()(layers.Conv2D(1, x.shape[1])(prelu(layers.Conv2D(16, 1)(x))))
    return keras.Model(inputs, [points, score], name="landmarks")


def crnn() -> keras.Model:
    """CRNN (Shi et al., arXiv 1507.05717): convolutions over a line of text, two LSTMs, a character each column.

    Its batch is fixed, since TensorFlow's converter refuses an LSTM whose batch is open.
    """
    inputs = keras.Input((32, 128, 1), batch_size=1, name="line")
    x = layers.MaxPooling2D()(conv(inputs, 64))
    x = layers.MaxPooling2D()(conv(x, 128))
    x = layers.MaxPooling2D((2, 1))(conv(conv(x, 256), 256))
    x = layers.MaxPooling2D((2, 1))(conv(x, 256))
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(x)
    return keras.Model(inputs, layers.Dense(37)(x), name="crnn")


def ds_cnn() -> keras.Model:
    """DS-CNN (Zhang et al., arXiv 1711.07128): key words in 49 frames of 10 coefficients."""
    inputs = keras.Input((49, 10, 1), name="coefficients")
    x = layers.Conv2D(64, (10, 4), 2, padding="same", use_bias=False)(inputs)
    x = relu(layers.BatchNormalization()(x))
    for _ in range(4):
        x = separable(x, 64)
    return keras.Model(inputs, layers.Dense(12)(layers.GlobalAveragePooling2D()(x)), name="ds_cnn")
