"""One question of each sort is shown, with its verdict."""

from moss_ros.output.told_answers import told_answers

HIT = {"id": 3, "label": "sofa", "score": 0.8, "centroid_m": [1.0, 2.0, 0.4], "explanation": "2 m long"}


def answer(text, *hits, message=""):
    return {"query": text, "status": "found" if hits else "absent", "message": message, "hits": list(hits)}


def query(text, kind, rank=None, present=True, status="found"):
    return {"query": text, "kind": kind, "rank": rank, "present": present, "status": status}


def test_three_kinds_with_verdicts():
    answers = [answer("couch", HIT), answer("second couch", HIT), answer("mug on it", HIT), answer("eel", message="no")]
    scored = [
        query("couch", "synonym", 1),
        query("second couch", "attribute", 1),
        query("mug on it", "relation", 3),
        query("eel", "absent", None, False, "absent"),
    ]
    assert told_answers(answers, scored).splitlines() == [
        'find "couch": sofa 3 at 1.00 2.00 0.40, score 0.80 (2 m long)  [right]',
        'find "mug on it": sofa 3 at 1.00 2.00 0.40, score 0.80 (2 m long)  [wrong, the right one is number 3]',
        'find "eel": no  [right, it is not there]',
    ]


def test_false_finds_are_called_wrong():
    scored = [query("eel", "absent", None, False, "found"), query("couch", "synonym", None)]
    lines = told_answers([answer("couch", HIT), answer("eel", HIT)], scored).splitlines()
    assert lines[0].endswith("[wrong]")
    assert lines[1].endswith("[wrong, it is not there]")


def test_without_truth_there_is_no_verdict():
    lines = told_answers([answer("couch", HIT), answer("eel")], []).splitlines()
    assert lines == [
        'find "couch": sofa 3 at 1.00 2.00 0.40, score 0.80 (2 m long)',
        'find "eel": absent',
    ]


def test_the_first_question_that_a_person_would_ask_is_shown():
    texts = ["the book on the book", "the mug on the shelf", "the pot on the shelf"]
    scored = [query(text, "relation", 1) for text in texts]
    (line,) = told_answers([answer(text, HIT) for text in texts], scored).splitlines()
    assert line.startswith('find "the mug on the shelf"')
    assert told_answers([answer(texts[0], HIT)], scored[:1]).startswith('find "the book on the book"')
