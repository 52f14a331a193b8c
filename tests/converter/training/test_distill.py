"""A dense teacher beside a student that is pruned: the loss, who learns, what is left. Runs with any backend."""

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.training.callback import PruningCallback
from mcpruner.converter.training.distill import prune_with_teacher
from mcpruner.converter.training.prune import strip

RNG = np.random.default_rng(0)
X = RNG.random((64, 6, 6, 4), np.float32)
Y = RNG.integers(0, 3, 64)


def cnn(seed: int = 3, softmax: bool = False, classes: int = 3) -> keras.Model:
    keras.utils.set_random_seed(seed)
    activation = "softmax" if softmax else None
    return keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            layers.Conv2D(8, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(),
            layers.Dense(classes, activation=activation, name="fc"),
        ]
    )


def compiled(taught: keras.Model, from_logits: bool = True) -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    taught.compile(keras.optimizers.SGD(0.05), loss, metrics=["accuracy"])
    return taught


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("softmax", [False, True])
def test_loss_by_hand(softmax):
    student, teacher = cnn(1, softmax), cnn(2, softmax)
    taught = compiled(prune_with_teacher(student, teacher, 0.75, 2.0, from_logits=not softmax), not softmax)
    outputs, wanted = student.predict(X, verbose=0), teacher.predict(X, verbose=0)
    if softmax:
        outputs, wanted = np.log(outputs), np.log(wanted)
    hard = -log_softmax(outputs)[np.arange(64), Y].mean()
    soft = -(np.exp(log_softmax(wanted / 2)) * log_softmax(outputs / 2)).sum(axis=1).mean()
    y_pred = student(X, training=False)
    trained = taught.compute_loss(X, Y, y_pred, training=True)
    np.testing.assert_allclose(float(trained), 0.25 * hard + 0.75 * 4 * soft, rtol=1e-4)
    np.testing.assert_allclose(float(taught.compute_loss(X, Y, y_pred, training=False)), hard, rtol=1e-4)


def test_the_student_learns_to_say_what_the_teacher_says():
    student, teacher = cnn(1), cnn(2)
    before = teacher.get_weights()
    taught = compiled(prune_with_teacher(student, teacher, share=1.0))
    resting = [w.copy() for w in taught.teacher.get_weights()]

    def agreement() -> float:
        said, wanted = (each.predict(X, verbose=0).argmax(axis=1) for each in (student, teacher))
        return float((said == wanted).mean())

    agreed = [agreement()]
    taught.fit(X, Y, batch_size=16, epochs=40, verbose=0)
    agreed.append(agreement())
    assert agreed[1] > max(agreed[0], 0.7)
    for weights in (teacher.get_weights(), taught.teacher.get_weights()):
        assert all((a == b).all() for a, b in zip(weights, before, strict=True))
    assert all((a == b).all() for a, b in zip(taught.teacher.get_weights(), resting, strict=True))


def test_pruned_by_the_callback():
    model = cnn()
    taught = compiled(prune_with_teacher(model))
    taught.fit(X, Y, batch_size=16, epochs=4, verbose=0, callbacks=[PruningCallback(density=0.25, end_step=8)])
    assert taught.student is model
    plain = strip(taught.student)
    assert (plain.get_layer("conv").get_weights()[0] != 0).mean() == pytest.approx(0.25, abs=0.03)
    assert (taught.teacher.get_layer("conv").get_weights()[0] != 0).all()
    np.testing.assert_allclose(plain.predict(X, verbose=0), taught.predict(X, verbose=0), rtol=1e-4, atol=1e-5)


def test_evaluate_is_the_students():
    model = cnn()
    loss, accuracy = compiled(prune_with_teacher(model, cnn(4))).evaluate(X, Y, verbose=0)
    logits = model.predict(X, verbose=0)
    assert accuracy == pytest.approx((logits.argmax(axis=1) == Y).mean())
    assert loss == pytest.approx(-log_softmax(logits)[np.arange(64), Y].mean(), rel=1e-4)


def test_a_file_goes_on_with_its_teacher(tmp_path):
    """As two epochs in one go do, from a checkpoint of the whole wrapper."""

    def fit(taught: keras.Model, epochs: int, *more: keras.callbacks.Callback) -> None:
        pruning = PruningCallback(density=0.25, begin_step=0, end_step=7, frequency=2)
        taught.fit(X, Y, batch_size=16, epochs=epochs, shuffle=False, verbose=0, callbacks=[pruning, *more])

    straight = compiled(prune_with_teacher(cnn(1), cnn(2), 0.75, 2.0))
    save = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    fit(straight, 2, save)
    taught = keras.models.load_model(tmp_path / "1.keras")
    fit(taught, 1)
    assert type(taught) is type(straight) and taught.teacher.trainable_variables == []
    for ours, theirs in zip(taught.get_weights(), straight.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert (strip(taught.student).get_layer("conv").get_weights()[0] != 0).mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.5}, "^Expected a share of 0 to 1, got 1.5.$"),
        ({"share": "most"}, "^Expected share as a number, got 'most'.$"),
        ({"temperature": None}, "^Expected temperature as a number, got None.$"),
        ({"temperature": 0}, "^Expected a temperature above 0, got 0.$"),
        (
            {"teacher": cnn(classes=5)},
            "^Expected a teacher with outputs of .None, 3. like the model's, got .None, 5..$",
        ),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        prune_with_teacher(cnn(), **options)
