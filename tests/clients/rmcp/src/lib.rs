//! Nothing: the tests are beside it, in `tests/`.
