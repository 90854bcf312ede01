"""How somebody becomes a member and stays one: registrations and their approval, members that staff make or import,
the days a membership is good for, and changes of many members at once.

Words: an *application* is one try to register, and what was decided about it; a *claim* is that somebody logs in with
the phone of a member whom staff had made or imported; *validity* is from which day until which somebody is a member; a
*batch* changes many members, chosen by a filter, in chunks.

Invariants: a batch changes exactly those members who were counted when it was asked for, each once, whatever dies
meanwhile; above a bound nobody changes members alone; an import in which a row is bad changes nothing, unless bad ones
are to be skipped; a member whom somebody acts for is claimed by nobody else.
"""
