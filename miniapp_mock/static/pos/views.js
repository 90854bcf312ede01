/** Which of the till's screens is shown. One at a time; the others are not in the page. */
const known = new Map();
let now = "";

/** Register a screen: `element`, and what to do when it is entered and left. */
export function add(name, element, { enter, leave } = {}) {
  element.hidden = true;
  known.set(name, { element, enter, leave });
}

export const current = () => now;

/** Show a screen, with what it needs. */
export function show(name, value) {
  known.get(now)?.leave?.();
  for (const [other, { element }] of known) element.hidden = other !== name;
  now = name;
  document.body.dataset.view = name;
  known.get(name).enter?.(value);
}
