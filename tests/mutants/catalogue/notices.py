"""Defects of announcements and the handbook: who is shown what, and what stands in a text."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

QUERIES = "backend/notices/queries/announcements.py"
COMMANDS = "backend/notices/commands/announcements.py"
HANDBOOK = "backend/notices/commands/handbook.py"
MARKDOWN = "backend/notices/rules/markdown.py"
TREE = "backend/notices/rules/tree.py"
STORY = "tests/notices/test_announcements.py::"
BOOK = "tests/notices/test_handbook.py::"
RULES = "tests/notices/test_rules.py::"

MUTANTS = (
    Mutant(
        "announcement-of-another-store-shown",
        "Members read what another store announces to its own.",
        QUERIES,
        " AND (a.stores = '[]'::jsonb OR a.stores ? $4::text)",
        " AND ($4::text IS NULL OR true)",
        (f"{STORY}test_an_announcement_reaches_its_level_and_store_only",),
    ),
    Mutant(
        "announcement-to-named-members-shown-to-all",
        "What is for some by condition is read by everybody.",
        QUERIES,
        'return not row["narrow"] or await',
        'return not row["narrow"] or True or await',
        (f"{STORY}test_an_announcement_reaches_its_level_and_store_only",),
    ),
    Mutant(
        "announcement-before-its-time",
        "A price that is announced for tomorrow is read today.",
        QUERIES,
        "WHERE a.state = 'published' AND a.starts_at <= $2 AND",
        "WHERE a.state = 'published' AND $2::timestamptz IS NOT NULL AND",
        (f"{STORY}test_it_is_shown_in_its_time_only",),
    ),
    Mutant(
        "managers-announce-for-all",
        "A store's manager takes back what head office announces.",
        COMMANDS,
        "    found = await locks.lock_announcement(tx, announcement_id)\n    if not caller.reaches(found.store_id):",
        "    found = await locks.lock_announcement(tx, announcement_id)\n    if False:",
        (f"{STORY}test_a_stores_staff_announce_to_their_own_store_only",),
    ),
    Mutant(
        "announcement-published-unread",
        "Somebody publishes a text that somebody else has just changed.",
        COMMANDS,
        "            if found.version != version:",
        "            if False:",
        (f"{STORY}test_what_is_refused_changes_nothing",),
    ),
    Mutant(
        "script-behind-a-link",
        "A text leads phones to any address.",
        MARKDOWN,
        "if len(href) <= _LONGEST_LINK and (",
        "if True or (",
        (f"{RULES}test_other_links_and_pictures_are_refused",),
    ),
    Mutant(
        "staffs-chapter-shown-to-members",
        "Members read what is for staff only.",
        TREE,
        "return chapter.visibility is Visibility.LEVELS and level in chapter.levels",
        "return chapter.visibility is not Visibility.LEVELS or level in chapter.levels",
        (f"{RULES}test_a_chapter_is_shown_only_where_all_above_it_are",),
    ),
    Mutant(
        "chapter-shown-below-a-hidden-one",
        "What lies below a chapter that is not published is read all the same.",
        TREE,
        "for one in (chapter, *above(by_id, chapter))",
        "for one in (chapter,)",
        (f"{RULES}test_a_chapter_is_shown_only_where_all_above_it_are",),
    ),
    Mutant(
        "draft-overwritten",
        "Of two who write one chapter the slower one's text is lost, and nobody is told.",
        HANDBOOK,
        "            if body.revision != (draft or 0):",
        "            if False:",
        (f"{BOOK}test_of_two_who_save_at_once_one_is_told",),
    ),
)
