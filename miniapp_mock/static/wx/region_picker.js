/**
 * What `<picker mode="region">` is in a mini-program: province, city and district, each a choice of its own, so that a keyboard
 * and a screen reader can make it. The list is fetched when somebody is to choose.
 */
import { fill, h } from "../shared/dom.js";

const TEXT = { label: "所在地区", province: "省", city: "市", district: "区 / 县" };
const LEVELS = ["province", "city", "district"];

let parsed = null;

/** The list: `[{ code, name, cities: [{ code, name, districts: [{ code, name }] }] }]`. */
async function regions() {
  parsed ||= read((await import("./regions.js")).REGIONS);
  return parsed;
}

function read(text) {
  const named = (before, word) => ({ code: before + word.slice(0, 2), name: word.slice(2) });
  return text.trim().split("\n").map((line) => {
    const [head, ...rest] = line.split("|");
    const province = named("", head);
    const cities = rest.map((part) => {
      const [first, ...words] = part.split(" ");
      const city = named(province.code, first);
      return { ...city, districts: words.map((word) => named(city.code, word)) };
    });
    return { ...province, cities };
  });
}

/**
 * The field: `{ node, input, value(), set(code), mark(text) }`. `value()` is `{ region, province, city, district }`, or null while
 * something is open; `set(code)` chooses a district and tells whether the list has it.
 */
export function regionPicker({ value = "" } = {}) {
  const selects = Object.fromEntries(LEVELS.map((level) => [level, h("select", { class: "input", id: `region-${level}`, "aria-label": `${TEXT.label} ${TEXT[level]}`, "aria-describedby": "region-error" })]));
  const problem = h("p", { class: "field-error", id: "region-error", role: "alert" });
  const node = h("fieldset", { class: "field" }, h("legend", { class: "label" }, TEXT.label), h("div", { class: "region-parts" }, LEVELS.map((level) => selects[level])), problem);
  let list = [];
  let wanted = value;

  const chosen = (some, level) => some.find(({ code }) => code === selects[level].value) || null;
  const province = () => chosen(list, "province");
  const city = () => chosen(province()?.cities || [], "city");
  const district = () => chosen(city()?.districts || [], "district");

  /** Offer these; where there is but one, it is chosen. */
  function offer(level, some, code = "") {
    fill(selects[level], h("option", { value: "" }, TEXT[level]), some.map((one) => h("option", { value: one.code }, one.name)));
    selects[level].value = some.some((one) => one.code === code) ? code : some.length === 1 ? some[0].code : "";
    selects[level].disabled = !some.length;
  }

  function show(code) {
    offer("province", list, code.slice(0, 2));
    offer("city", province()?.cities || [], code.slice(0, 4));
    offer("district", city()?.districts || [], code);
  }

  selects.province.addEventListener("change", () => { offer("city", province()?.cities || []); offer("district", city()?.districts || []); mark(""); });
  selects.city.addEventListener("change", () => { offer("district", city()?.districts || []); mark(""); });
  selects.district.addEventListener("change", () => mark(""));

  function mark(text) {
    problem.textContent = text;
    node.classList.toggle("wrong", Boolean(text));
    for (const level of LEVELS) {
      if (text && !selects[level].value) selects[level].setAttribute("aria-invalid", "true");
      else selects[level].removeAttribute("aria-invalid");
    }
  }

  show("");
  const ready = regions().then((all) => { list = all; show(wanted); });

  return {
    node,
    ready,
    /** The first that is open, to put the focus on. */
    input: { focus: () => (selects[LEVELS.find((level) => !selects[level].value) || "province"]).focus() },
    mark,
    set(code) {
      wanted = code;
      show(code);
      return !list.length || Boolean(district());
    },
    value: () => (district() ? { region: district().code, province: province().name, city: city().name, district: district().name } : null),
  };
}
