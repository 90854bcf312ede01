/** A list that goes on as one scrolls: pages by cursor, and the place kept while one looks at something of it. */
import { fill, h } from "../shared/dom.js";
import { busy, staleNote, trouble } from "./parts.js";
import { problemText, t } from "./texts.js";

const places = new Map(); // what was listed last under a name: { items, cursor, scroll }

/**
 * `fetch(cursor)` brings `{ items, next_cursor }`; `draw(items)` the node; `wait()` what stands there before; `nothing()` what is
 * shown for none. `enough` items fill a screen: below that nobody needs to hear that there are no more. With `place`, the list
 * of the last visit stands there at once after `resume()`. Returns `{ node, reload(), resume(), items(), leave(scroller), shown(scroller) }`.
 */
export function endless({ fetch, draw, wait, nothing, enough = 8, place = "" }) {
  const list = h("div", null);
  const more = h("button", { type: "button", class: "button plain wide", hidden: true, onclick: () => busy(more, next) }, t("common.more"));
  const end = h("p", { class: "tiny muted center end-note", hidden: true }, t("common.no_more"));
  const failed = h("p", { class: "field-error center", role: "alert" });
  const old = h("div", { hidden: true });
  const node = h("div", { class: "stack" }, old, list, failed, more, end);
  let items = [];
  let cursor = null;
  let round = 0;
  let scroll = 0;

  function show() {
    more.hidden = !cursor;
    end.hidden = Boolean(cursor) || items.length < enough;
    fill(list, items.length ? draw(items) : nothing());
  }

  /** Begin anew; what is shown stays until the answer is there, unless `quiet` is false. */
  async function reload({ quiet = false } = {}) {
    round += 1;
    const mine = round;
    if (!quiet || !items.length) {
      more.hidden = true;
      end.hidden = true;
      fill(list, wait());
    }
    try {
      const page = await fetch(null);
      if (mine !== round) return;
      items = page.items;
      cursor = page.next_cursor || null;
      old.hidden = !page.stale_at;
      fill(old, page.stale_at && staleNote(page.stale_at));
      show();
    } catch (error) {
      if (mine === round && !(quiet && items.length)) fill(list, h("div", { class: "card" }, trouble(error, () => reload())));
    }
  }

  async function next() {
    const mine = round;
    failed.textContent = "";
    try {
      const page = await fetch(cursor);
      if (mine !== round) return;
      const known = new Set(items.map((item) => item.id));
      items = [...items, ...page.items.filter((item) => !known.has(item.id))];
      cursor = page.next_cursor || null;
      show();
    } catch (error) {
      if (mine === round) failed.textContent = problemText(error); // the button is the way on
    }
  }

  const near = new IntersectionObserver(([seen]) => {
    if (seen.isIntersecting && !more.hidden) busy(more, next);
  }, { rootMargin: "400px" });
  near.observe(more);

  return {
    node,
    reload,
    items: () => items,
    /** Draw what is there again. */
    redraw: show,
    /** Show what was listed when one left; false where nothing is kept. */
    resume() {
      const kept = places.get(place);
      if (!kept) return false;
      ({ items, cursor, scroll } = kept);
      show();
      return true;
    },
    shown(scroller) {
      if (scroll) scroller.scrollTop = scroll;
    },
    leave(scroller) {
      round += 1;
      near.disconnect();
      if (place && items.length) places.set(place, { items, cursor, scroll: scroller?.scrollTop || 0 });
    },
  };
}

/** Forget where one was in a list. */
export function forgetPlace(place) {
  places.delete(place);
}
