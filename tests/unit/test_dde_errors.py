"""What the codes of DDEML are told as."""

import pytest

from gateway.microsip.dmlerr import STALE, TIMED_OUT, Dmlerr, failure
from gateway.phone import Problem

PROBLEMS = {
    Dmlerr.ADVACKTIMEOUT: Problem.NOT_RESPONDING,
    Dmlerr.BUSY: Problem.FAILED,
    Dmlerr.DATAACKTIMEOUT: Problem.NOT_RESPONDING,
    Dmlerr.DLL_NOT_INITIALIZED: Problem.FAILED,
    Dmlerr.DLL_USAGE: Problem.FAILED,
    Dmlerr.EXECACKTIMEOUT: Problem.NOT_RESPONDING,
    Dmlerr.INVALIDPARAMETER: Problem.NOT_RUNNING,
    Dmlerr.LOW_MEMORY: Problem.FAILED,
    Dmlerr.MEMORY_ERROR: Problem.FAILED,
    Dmlerr.NOTPROCESSED: Problem.FAILED,
    Dmlerr.NO_CONV_ESTABLISHED: Problem.NOT_RUNNING,
    Dmlerr.POKEACKTIMEOUT: Problem.NOT_RESPONDING,
    Dmlerr.POSTMSG_FAILED: Problem.NOT_RUNNING,
    Dmlerr.REENTRANCY: Problem.FAILED,
    Dmlerr.SERVER_DIED: Problem.NOT_RESPONDING,
    Dmlerr.SYS_ERROR: Problem.FAILED,
    Dmlerr.UNADVACKTIMEOUT: Problem.NOT_RESPONDING,
    Dmlerr.UNFOUND_QUEUE_ID: Problem.FAILED,
}


@pytest.mark.parametrize("code", Dmlerr, ids=lambda code: code.name)
def test_each_code_is_a_problem_with_words_for_the_user(code: Dmlerr) -> None:
    error = failure(code)

    assert error.problem == PROBLEMS[code]
    assert len(error.detail) > 20


def test_a_code_without_a_text_of_its_own_is_named() -> None:
    assert "REENTRANCY" in failure(Dmlerr.REENTRANCY).detail


def test_a_code_that_no_header_lists_is_a_failure() -> None:
    error = failure(0x4FFF)

    assert error.problem == Problem.FAILED
    assert "0x4fff" in error.detail


def test_no_time_out_counts_as_not_handed_over() -> None:
    assert not STALE & TIMED_OUT
    assert Dmlerr.SERVER_DIED not in STALE
