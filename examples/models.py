"""Networks for the demo, the benchmarks and the tests: Keras 3, channels last, logits without a softmax.

A softmax hides errors and costs time, so it is left to whoever wants probabilities. Weights are random with fixed
seeds, and so are the batch norms' statistics: with the usual zeros and ones a wrong bias would not show.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers


def _conv(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    """Convolution padded as PyTorch does (by half the kernel on all sides), and batch norm."""
    if kernel > 1 and stride > 1:
        x = layers.ZeroPadding2D(kernel // 2, name=name + "_pad")(x)
    x = layers.Conv2D(
        filters,
        kernel,
        stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    return layers.BatchNormalization(
        beta_initializer=keras.initializers.RandomNormal(stddev=0.1),
        moving_mean_initializer=keras.initializers.RandomNormal(stddev=0.1),
        moving_variance_initializer=keras.initializers.RandomUniform(0.5, 1.5),
        name=name + "_bn",
    )(x)


def _basic_block(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    shortcut = x
    x = layers.ReLU(name=name + "_relu1")(_conv(x, filters, 3, stride, name + "_conv1"))
    x = _conv(x, filters, 3, 1, name + "_conv2")
    if stride > 1 or shortcut.shape[-1] != filters:
        shortcut = _conv(shortcut, filters, 1, stride, name + "_shortcut")
    return layers.ReLU(name=name + "_relu2")(layers.Add(name=name + "_add")([x, shortcut]))


def _resnet18(inputs: keras.KerasTensor, stem: keras.KerasTensor, classes: int, name: str) -> keras.Model:
    """What ResNet-18 is behind its stem: four stages of two blocks, mean, classifier."""
    x = stem
    for stage, filters in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            stride = 2 if stage > 1 and block == 0 else 1
            x = _basic_block(x, filters, stride, f"stage{stage}_block{block + 1}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(classes, name="classifier")(x), name=name)


def resnet18(input_size: int = 224, classes: int = 1000) -> keras.Model:
    """ResNet-18 (He et al., arXiv 1512.03385) in torchvision's topology, He-normal weights, 11.7 M parameters."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = layers.ReLU(name="stem_relu")(_conv(inputs, 64, 7, 2, "stem"))
    # The stem's pixels are at least 0, so zeros around them pool as PyTorch's minus infinity does.
    x = layers.MaxPooling2D(3, 2, name="stem_pool")(layers.ZeroPadding2D(1, name="stem_pool_pad")(x))
    return _resnet18(inputs, x, classes, "resnet18")


def resnet18_cifar() -> keras.Model:
    """ResNet-18 for 32x32 images: a 3x3 stem at stride 1 and no pooling behind it, 11.2 M parameters."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3), name="image")
    stem = layers.ReLU(name="stem_relu")(_conv(inputs, 64, 3, 1, "stem"))
    return _resnet18(inputs, stem, 10, "resnet18_cifar")


def vgg16_cifar() -> keras.Model:
    """VGG-16 for 32x32 images: its 13 convolutions with batch norm, then one dense layer, 14.7 M parameters."""
    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((32, 32, 3), name="image")
    for stage, (filters, convolutions) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for i in range(1, convolutions + 1):
            name = f"stage{stage}_conv{i}"
            x = layers.ReLU(name=name + "_relu")(_conv(x, filters, 3, 1, name))
        x = layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Dense(10, name="classifier")(x), name="vgg16_cifar")


def digits_cnn() -> keras.Model:
    """A small classifier of 8x8 grey digits: three 3x3 convolutions and a dense layer, 95 k parameters."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1), name="image")
    x = inputs
    for i, filters in enumerate((32, 64, 128), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"conv{i}")(
            x
        )
        x = layers.ReLU(name=f"relu{i}")(layers.BatchNormalization(name=f"bn{i}")(x))
        if i == 2:
            x = layers.MaxPooling2D(name="pool")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(inputs, layers.Dense(10, name="classifier")(x), name="digits_cnn")


def _application(name: str) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        keras.utils.set_random_seed(0)
        application = getattr(keras.applications, name)
        model = application(weights=None, classifier_activation=None, input_shape=(224, 224, 3))
        _draw_he_normal(model)
        return model

    return build


def _draw_he_normal(model: keras.Model) -> None:
    """Draw the kernels of all layers again: keras.applications starts from uniform ones, which prune differently."""
    for i, layer in enumerate(model.layers):
        if hasattr(layer, "kernel"):
            layer.kernel.assign(keras.initializers.HeNormal(seed=i)(layer.kernel.shape))


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "resnet18": resnet18,
    "resnet50": _application("ResNet50"),
    "vgg16": _application("VGG16"),
    "mobilenet_v1": _application("MobileNet"),
    "mobilenet_v2": _application("MobileNetV2"),
    "vgg16_cifar": vgg16_cifar,
    "resnet18_cifar": resnet18_cifar,
}


def rescale_filters(pruned: keras.Model, dense: keras.Model) -> None:
    """Give each filter of `pruned` the norm that it has in `dense`, in place.

    Pruning random weights in one shot shrinks activations from layer to layer, until an error relative to the largest
    of them says nothing. Training does this by itself.
    """
    for layer in pruned.layers:
        if isinstance(layer, keras.Model):
            rescale_filters(layer, dense.get_layer(layer.name))
        if not isinstance(layer, layers.Conv2D | layers.Dense) or isinstance(layer, layers.DepthwiseConv2D):
            continue
        kernel, *rest = layer.get_weights()
        before = dense.get_layer(layer.name).get_weights()[0]
        axes = tuple(range(kernel.ndim - 1))
        norm = np.sqrt(np.sum(kernel**2, axis=axes))
        scale = np.sqrt(np.sum(before**2, axis=axes)) / np.where(norm > 0, norm, 1)
        layer.set_weights([kernel * scale.astype(np.float32), *rest])
