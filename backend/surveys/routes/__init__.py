"""The calls of surveys: ``admin`` to compose and enter, ``results`` for what came of it, ``member`` for phones."""
