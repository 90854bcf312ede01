"""Bodies and answers: ``admin`` for composing and entering, ``results`` for what came of it, ``phone`` for members."""
