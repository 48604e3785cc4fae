"""Trains the networks of the study, each once."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras

from training.study.learning import Epoch, learn
from training.study.network import KerasModel, StudyNetwork
from training.study.store import Store
from training.torch_speed import speed_up


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network that has learned."""

    checkpoint: Path
    epochs: tuple[Epoch, ...]
    backend: str

    @property
    def seconds(self) -> float:
        """That the training took."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def best(self) -> Epoch:
        """The epoch whose weights were kept: the best of the last stage."""
        last = [epoch for epoch in self.epochs if epoch.stage == self.epochs[-1].stage]
        return max(last, key=lambda epoch: (epoch.score, -epoch.number))

    def model(self) -> KerasModel:
        """The network."""
        return keras.models.load_model(self.checkpoint, compile=False)


def train_network(network: StudyNetwork, others: dict[str, StudyNetwork], store: Store) -> Trained:
    """Train a network unless it is trained already; before it the one that it begins with."""
    start = train_network(others[network.begins_with], others, store).checkpoint if network.begins_with else None
    folder = store.place(
        network.name,
        "trained",
        store.learned_from(),
        repr((network.task, network.learning)),
        start,
        modules=(network.module, "training.study.learning"),
    )
    done = folder / "trained.json"
    if not done.is_file():
        keras.utils.clear_session()
        keras.utils.set_random_seed(store.seed)
        repeat_exactly()
        speed_up()
        model = network.build()
        if start is not None:
            take_over(model, start)
        setting = store.setting
        began = time.monotonic()
        epochs = learn(
            model,
            network.task.material(store),
            network.learning,
            setting.epochs,
            setting.patience,
            store.seed,
            folder,
        )
        model.save(folder / "network.keras")
        facts = {
            "epochs": [asdict(epoch) for epoch in epochs],
            "backend": f"Keras {keras.__version__} on {keras.backend.backend()}",
        }
        done.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        print(f"{network.name}: trained in {time.monotonic() - began:.0f} s")  # noqa: T201
        for left in folder.glob("*.npz"):
            left.unlink()
    facts = json.loads(done.read_text(encoding="utf-8"))
    return Trained(folder / "network.keras", tuple(Epoch(**each) for each in facts["epochs"]), facts["backend"])


def take_over(model: KerasModel, start: Path) -> None:
    """Begin with the weights of another network, wherever a layer of the same place has the same shapes."""
    for layer, known in zip(model.layers, keras.models.load_model(start, compile=False).layers, strict=True):
        if [weight.shape for weight in layer.weights] == [weight.shape for weight in known.weights]:
            layer.set_weights(known.get_weights())


def repeat_exactly() -> None:
    """Have TensorFlow add in the same order every time, so that the same seed gives the same network."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
