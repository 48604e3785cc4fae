"""Settles the text of a plate: argmax over texts s of Σ w_f · log P(s | frame f) + log prior(s), over frames f."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_app.recognition import ctc
from edge_app.recognition.format_search import FormatSearch
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.records import Candidate, CharacterRead, LogProbs, PlateText, Reading

Floats = NDArray[np.float64]

_BEAM_WIDTH = 8
_GUIDED_TEXTS = 8
"""Most texts that the format search proposes for one frame."""

_SEARCHED_FRAMES = 5
"""Number of frames that propose texts: the clearest ones, of the greatest weight. Every frame judges the texts."""

_REMEMBERED_READINGS = 128
"""Whose texts are kept: the votes on one plate search mostly the same readings."""

_SCORED_TEXTS = 24
"""Most texts that every frame judges."""

_MOST_AGAINST = 10.0
"""Largest log-likelihood ratio of one frame against a text. Now and then a frame shows something else than the plate,
for its corners went wrong or a wiper hides half: a few such frames must not overrule twenty clear ones."""

_UNSEEN_GAP = 4.0
"""Assumed log-likelihood gap between each frame's likeliest text and one that no frame proposed."""

_HIDDEN = -4.0
"""Log prior of one character of a plate being hidden (by a bolt, by dirt, by its neighbour) from most of its frames:
one in about fifty."""

_HIDDEN_SHARE = 0.75
"""Share of the frames that do not show the hidden character."""

SETTLING_WEIGHT = _MOST_AGAINST / _UNSEEN_GAP
"""Total weight of agreeing frames below which no text can be settled: voting before would be in vain."""

_ON_NO_PLATE = -7.0
"""Log prior of any one text on a sign or a grille that was detected as a plate: that of a text that fits no format."""

_SUREST_PLATE = 0.95
"""The detector's confidence is limited to this and its complement."""

_LEAST_CONFIDENCE = 0.1
"""A text of less confidence is wrong nine times of ten, and often none: a grille, a window, a plate too far away."""

_FEWEST_CHARACTERS = 3
"""What is shorter is no text: a bar of a grille reads as 1, a badge as 8."""

_SURE = 0.9
"""Confidence from which on a text may be settled: below, further reads may make it one that is published."""

_LEAST_REST = 1e-6
_LEAST_SHARE = 1e-3
"""Least weight of an attempt, as a share of the best one's: it still counts against a text that it cannot have been."""
_LEAST_WEIGHT = 1e-3
"""Least factor by which the probability of a frame's best path, with or without the prior, lowers its weight."""
_ROUNDING = 1e-3
_WEIGHED_ALTERNATIVES = 4.0
"""Log-likelihood gap beyond which the prior of a text with another character makes no difference."""

_FULL_LINE_HEIGHT_PX = 20.0
"""Height of a line from which on the reader gains nothing."""

_HALF_SHARPNESS = 0.5


@dataclass(frozen=True, slots=True)
class LogScore:
    """The likelihood and the prior of a reading's own text."""

    log_likelihood: float
    """Log probability of its best path."""
    log_prior: float
    """Of the text of that path; minus infinity if it is too short for one."""

    @property
    def log_score(self) -> float:
        """Their sum."""
        return self.log_likelihood + self.log_prior


class Voter:
    """`settle` turns readings of one plate into a text, `settle_attempts` those of a single picture of it."""

    def __init__(self, formats: PlateFormats, alphabet: str, max_candidates: int = 5) -> None:
        self._formats = formats
        self._alphabet = alphabet
        self._max_candidates = max_candidates
        self._search = FormatSearch(formats.templates, alphabet)
        self._texts_of = lru_cache(_REMEMBERED_READINGS)(self._search_texts)

    def settle(self, readings: Sequence[Reading], plate_confidence: float = 0.5) -> PlateText | None:
        """The text of a plate, from one reading of each frame; None if nothing on it is legible.

        A frame's weight comes from its log score, its size and its sharpness. `plate_confidence` is the detector's,
        that this is a plate: a text that fits no format needs a high one.
        """
        if not readings:
            return None
        scores = [self.score(reading) for reading in readings]
        shown = np.array([image_quality(reading) for reading in readings])
        log_scores = np.array([score.log_score for score in scores])
        weights = frame_weights(shown * np.maximum(np.exp(log_scores), _LEAST_WEIGHT))
        return self._settle(readings, log_scores, weights, plate_confidence)

    def settle_attempts(self, readings: Sequence[Reading], plate_confidence: float = 0.5) -> PlateText | None:
        """The text of a plate of a single frame, from several attempts: together they have the weight of one frame.

        An attempt's weight comes from its log score: so likely is its place the right one. None if nothing on the plate
        is legible.
        """
        if not readings:
            return None
        log_scores = np.array([self.score(reading).log_score for reading in readings])
        text = self._settle(readings, log_scores, _attempt_weights(log_scores), plate_confidence)
        return text and replace(text, agreeing=1, settled=False)

    def _settle(
        self, readings: Sequence[Reading], log_scores: Floats, weights: Floats, plate_confidence: float
    ) -> PlateText | None:
        log_probs = ctc.condense_all([reading.log_probs for reading in readings])
        best_paths = log_probs.max(axis=2).sum(axis=1)
        clearest = np.argsort(-np.log(weights) - best_paths, kind="stable")[:_SEARCHED_FRAMES]
        texts = self._propose([readings[index] for index in clearest], log_probs[clearest])
        likelihoods = ctc.log_likelihoods(log_probs, texts, self._alphabet)
        evidence = _evidence(texts, likelihoods, weights)
        priors = self._log_priors(texts)
        confidences = _posterior(evidence, priors, likelihoods, weights, plate_confidence)
        order = np.argsort(-confidences, kind="stable")
        if len(texts[order[0]]) < _FEWEST_CHARACTERS or confidences[order[0]] < _LEAST_CONFIDENCE:
            return None
        share = weights.sum() / weights[clearest].sum()
        characters = self._characters(texts[order[0]], log_probs[clearest], weights[clearest] * share)
        text = self._describe([(texts[index], float(confidences[index])) for index in order], characters)
        judged = likelihoods + priors
        agreeing = int((judged[:, order[0]] >= np.maximum(judged.max(axis=1), log_scores) - _ROUNDING).sum())
        reading_weights = np.array([reading_weight(reading) for reading in readings])
        settled = text.confidence >= _SURE and _is_settled(order[0], evidence, priors, likelihoods, reading_weights)
        return replace(text, agreeing=agreeing, settled=settled)

    def score(self, reading: Reading) -> LogScore:
        """The likelihood and the prior of a reading's own text."""
        text, likelihood = ctc.best_path(reading.log_probs, self._alphabet)
        return LogScore(likelihood, self._formats.log_prior(text) if len(text) >= _FEWEST_CHARACTERS else -np.inf)

    def support(self, text: str, reading: Reading) -> float:
        """How well a frame supports a text, as a picture of it: natural logarithm, 0 at best."""
        shown = ctc.log_likelihood(reading.log_probs, text, self._alphabet)
        return float(np.log(image_quality(reading)) + max(shown, -_MOST_AGAINST))

    def _propose(self, readings: Sequence[Reading], log_probs: NDArray[np.float32]) -> list[str]:
        """The texts that are judged; `log_probs` are those of the readings."""
        texts = list(dict.fromkeys(text for reading in readings for text in self._texts_of(reading)))
        if len(texts) <= _SCORED_TEXTS:
            return texts
        best = ctc.log_likelihoods(log_probs, texts, self._alphabet).max(axis=0) + self._log_priors(texts)
        return [texts[index] for index in np.argsort(-best, kind="stable")[:_SCORED_TEXTS]]

    def _search_texts(self, reading: Reading) -> tuple[str, ...]:
        """What one frame proposes."""
        found = ctc.beam_search(reading.log_probs, self._alphabet, _BEAM_WIDTH)
        if self._beyond_doubt(found[0], reading.log_probs):
            return tuple(found)
        guided = self._search.search(reading.log_probs, _GUIDED_TEXTS)
        corrected = [fixed for text in found[:1] + guided[:3] for fixed in self._formats.corrections(text)]
        return (*found, *guided, *corrected)

    def _beyond_doubt(self, text: str, frame: LogProbs) -> bool:
        """Whether no other text can win, even with all the probability that is left and the best prior, which is 1."""
        probability = float(np.exp(ctc.log_likelihood(frame, text, self._alphabet)))
        return probability * float(np.exp(self._formats.log_prior(text))) > 1 - probability

    def _characters(self, text: str, log_probs: NDArray[np.float32], weights: Floats) -> tuple[CharacterRead, ...]:
        """Posterior of each character, its neighbours held fast."""
        likelihoods = ctc.character_log_likelihoods(log_probs, text, self._alphabet)
        scores = np.einsum(
            "f,fpc->pc", weights, _tempered(likelihoods.reshape(len(weights), -1)).reshape(likelihoods.shape)
        )
        own = np.array([self._alphabet.index(value) for value in text])
        prior = self._formats.log_prior(text)
        for place, code in np.argwhere(scores > scores[np.arange(len(text)), own, None] - _WEIGHED_ALTERNATIVES):
            other = text[:place] + self._alphabet[code] + text[place + 1 :]
            scores[place, code] += self._formats.log_prior(other) - prior
        confidences = np.exp(scores[np.arange(len(text)), own] - np.logaddexp.reduce(scores, axis=1))
        return tuple(CharacterRead(value, float(sure)) for value, sure in zip(text, confidences, strict=True))

    def _describe(self, ranked: list[tuple[str, float]], characters: tuple[CharacterRead, ...]) -> PlateText:
        text, confidence = ranked[0]
        match = self._formats.match(text)
        named = [each for each in ranked if each[0]][: self._max_candidates]
        candidates = tuple(Candidate(other, sure, self._formats.match(other).valid) for other, sure in named)
        return PlateText(text, confidence, match.country, match.format, match.valid, characters, candidates)

    def _log_priors(self, texts: list[str]) -> Floats:
        return np.array([self._formats.log_prior(text) for text in texts])


def image_quality(reading: Reading) -> float:
    """How well a frame shows the plate, 0 to 1: by the height of its text and its sharpness."""
    height = min(1.0, reading.line_height_px / _FULL_LINE_HEIGHT_PX)
    return max(1e-3, height * reading.sharpness / (reading.sharpness + _HALF_SHARPNESS))


def reading_weight(reading: Reading) -> float:
    """The weight of a frame, 0 to 1: from the height of its text, its sharpness and the probability of its best path.

    On tracks of rendered traffic, the share of right frames was equal to that probability.
    """
    return image_quality(reading) * max(float(np.exp(reading.log_probs.max(axis=1).sum())), _LEAST_WEIGHT)


def frame_weights(reading_weights: Floats) -> Floats:
    """Normalised weight of each frame; one frame alone has the weight 1.

    Frames of one pass show the same dirt, bolt and shadow, so they err together: counted as independent, thirty
    frames that each lean slightly to a wrong character would make it certain. Their total weight is the square
    root of their number, or of Kish's effective number if their weights differ.
    """
    effective = reading_weights.sum() ** 2 / (reading_weights**2).sum()
    return np.asarray(reading_weights / reading_weights.sum() * np.sqrt(effective))


def _attempt_weights(log_scores: Floats) -> Floats:
    best = log_scores.max()
    shares = np.maximum(np.exp(log_scores - best), _LEAST_SHARE) if np.isfinite(best) else np.ones_like(log_scores)
    return np.asarray(shares / shares.sum())


def _unseen(likelihoods: Floats) -> Floats:
    """Assumed log likelihood, in each frame, of a text that none has proposed."""
    return _tempered(likelihoods.max(axis=1) - _UNSEEN_GAP)


def _posterior(
    evidence: Floats, priors: Floats, likelihoods: Floats, weights: Floats, plate_confidence: float
) -> Floats:
    """Probability that this is a plate with each text, among all texts, anything else, and a sign that is no plate.

    For one frame, "anything else" has the probability that CTC leaves to other texts. Over several frames it has to be
    the same unseen text in each. Each frame's rest is converted to a number of texts, each `_UNSEEN_GAP` behind its
    likeliest; the smallest of these numbers counts, and all frames judge these texts.
    """
    rest = np.log(np.maximum(1 - np.exp(likelihoods).sum(axis=1), _LEAST_REST))
    scores = evidence + priors
    unseen = _unseen(likelihoods)
    anything_else = (rest - unseen).min() + weights @ unseen + priors[scores.argmax()]
    is_plate = min(max(plate_confidence, 1 - _SUREST_PLATE), _SUREST_PLATE)
    on_no_plate = evidence + _ON_NO_PLATE + np.log((1 - is_plate) / is_plate)
    others = np.append(on_no_plate, anything_else)
    return np.asarray(np.exp(scores - np.logaddexp.reduce(np.append(scores, others))))


def _is_settled(best: int, evidence: Floats, priors: Floats, likelihoods: Floats, reading_weights: Floats) -> bool:
    """Whether, by estimate, one more frame, as good as can be and all against the best text, would not change it.

    The best text must keep its lead over every rival, and over one that no frame has proposed yet. An estimate, for
    the evidence was weighted with the prior, and the weights after one more frame are computed without it: they
    agree if every frame's own text has the likeliest format.
    """
    weights = frame_weights(reading_weights)
    rivals = np.append(evidence, weights @ _unseen(likelihoods))
    rival_priors = np.append(priors, 0.0)
    *kept, last = frame_weights(np.append(reading_weights, 1.0))
    lead = (evidence[best] - rivals) * (kept[0] / weights[0]) - last * _MOST_AGAINST + priors[best] - rival_priors
    lead[best] = 0.0
    return bool((lead >= 0).all())


def _evidence(texts: Sequence[str], likelihoods: Floats, weights: Floats) -> Floats:
    """The evidence of all frames for each text.

    A character that a frame passes over leaves no trace in its posteriors, and what hides it there hides it in most
    frames of the pass. So a text that is likeliest in some frame is also judged as one of which the others show all
    but one character, where they have read that as a text of its own.
    """
    evidence = weights @ _tempered(likelihoods)
    places = {text: place for place, text in enumerate(texts)}
    for place in set(likelihoods.argmax(axis=1).tolist()):
        text = texts[place]
        for shorter in {text[:index] + text[index + 1 :] for index in range(len(text))} & places.keys():
            shown = likelihoods[:, place] + np.log(1 - _HIDDEN_SHARE)
            hidden = likelihoods[:, places[shorter]] + np.log(_HIDDEN_SHARE)
            partly = _HIDDEN + weights @ _tempered(np.logaddexp(shown, hidden))
            evidence[place] = max(evidence[place], partly)
    return np.asarray(evidence)


def _tempered(likelihoods: Floats) -> Floats:
    """Log likelihoods with each frame's evidence against a text limited: a mixture with a frame that shows nothing."""
    return np.asarray(np.logaddexp(likelihoods, -_MOST_AGAINST))
