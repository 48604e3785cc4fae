"""What the study says of each network: whose approach it is, what was published, and why ours differs."""

from dataclasses import dataclass

INDIAN = "Indian characters"
CELLWISE = "small CNN"
CLASSICAL = "classical pipeline"
TUTORIAL = "tutorial CNN"
CORRECTION = "RNN on an OCR's text"
HYBRID = "hybrid, and CNN + LSTM with CTC"
TRANSFER = "transfer learning"
REGRESSION = "box regression"
ONE_STAGE = "one-stage detectors"
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Told:
    """Of a network."""

    title: str
    approach: str
    published: str = "–"
    why: str = ""
    """Why the published figure and ours differ."""


_HARDER = "Its photos were clean crops; ours go down to lines of 8 pixels, smeared and out of focus."

APPROACHES = {
    "lenet": Told("LeNet 20-50-500", INDIAN, "10.0 M, 0.951 at epoch 9, 155 s an epoch", _HARDER),
    "lenet_augmented": Told("LeNet, augmented", INDIAN, "as LeNet", _HARDER),
    "vgg9": Told("VGG-9", INDIAN, "2.27 M, 0.899 at epoch 19", _HARDER + " Ours has batch normalisation."),
    "vgg9_augmented": Told("VGG-9, augmented", INDIAN, "as VGG-9", _HARDER),
    "mobilenet_v2": Told(
        "MobileNetV2",
        INDIAN,
        "2.43 M, 0.929 at epoch 30",
        "Theirs could begin with weights of photographs. Ours begins from nothing, and needs many more epochs than it "
        "had here.",
    ),
    "mobilenet_v2_augmented": Told("MobileNetV2, augmented", INDIAN, "as MobileNetV2", "As MobileNetV2."),
    "alexnet": Told("AlexNet", INDIAN, "no figure", "Ours learns at 3e-4 instead of 1e-3."),
    "alexnet_augmented": Told("AlexNet, augmented", INDIAN, "no figure", "As AlexNet."),
    "cellwise": Told(
        "small CNN, dense layer on each cell",
        CELLWISE,
        "454,179 parameters, 0.9989",
        "Its split was by picture: crops of one plate lay on both sides. Ours is by text. Its 35 classes lack the O, "
        "which our test split has.",
    ),
    "cellwise_abroad": Told(
        "small CNN, taught foreign plates",
        CELLWISE,
        "60–70 % in another country",
        "Theirs met another lettering. Our generator prints all countries in the same faces, so that only texts, "
        "colours and layouts differ.",
    ),
    "classical_handwriting": Told(
        "two convolutions, taught handwriting",
        CLASSICAL,
        "0.99",
        "0.99 is the score on handwriting. The characters of plates are print, binarized from small and blurred "
        "pictures. MNIST and A–Z were not to be had, so the handwriting is drawn from strokes by our own code.",
    ),
    "classical_plates": Told("two convolutions, taught plates", CLASSICAL),
    "tutorial_adam": Told("convolutions 32-64-128, Adam", TUTORIAL),
    "tutorial_rmsprop": Told("convolutions 32-64-128, RMSprop", TUTORIAL),
    "corrector_lstm": Told("two LSTM of 128", CORRECTION),
    "corrector_gru": Told("two GRU of 128", CORRECTION),
    "hybrid": Told("CNN and LSTM joined", HYBRID),
    "crnn": Told("CNN + LSTM with CTC", HYBRID),
    "transfer_pretrained": Told("MobileNetV2 abroad, pre-trained on Indian characters", TRANSFER),
    "transfer_scratch": Told("MobileNetV2 abroad, from scratch", TRANSFER),
    "box_regression": Told("ResNet50, flatten, dense 4", REGRESSION),
    "yolo_plates": Told(
        "one-stage detector of plates",
        ONE_STAGE,
        "IoU and objectness logs only",
        "A log of IoU on training pictures is no score: the figure here is on plates that it has never seen.",
    ),
    "yolo_characters": Told("one-stage detector of characters", ONE_STAGE, "IoU and objectness logs only", "As above."),
    "lenet_ctc": Told("our reader, taught as long as the others", OURS),
    "plate_reader": Told("our reader, as shipped", OURS),
    "plate_detector": Told("our detector with aligner, as shipped", OURS),
}
"""By name."""
