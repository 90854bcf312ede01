/** Answer by answer. */
import { h } from "/static/shared/dom.js";
import { tell } from "../parts/dialogs.js";
import { stamp } from "../parts/format.js";
import { factList } from "../parts/states.js";
import { table } from "../parts/table.js";
import { address, questionsOf, saidOf, w } from "./words.js";

export async function raw({ api, signal }, survey) {
  const contents = new Map();
  const contentOf = async (version) => {
    if (!contents.has(version)) contents.set(version, (await api.get(address(survey.id, `/versions/${version}`), {}, { signal })).content);
    return contents.get(version);
  };

  async function look(item) {
    const content = await contentOf(item.version);
    const given = Object.fromEntries(item.answers.map((one) => [one.question, one]));
    const photos = Object.fromEntries(item.photos.map((one) => [one.id, one]));
    const said = (question) => {
      const answer = given[question.id];
      if (answer?.photos) return h("span", { class: "said-pictures" }, answer.photos.map((id, at) => h("a", { href: photos[id].url, target: "_blank", rel: "noopener" }, h("img", { src: photos[id].small_url, alt: `${question.title} ${at + 1}` }))));
      return saidOf(question, answer) || w("survey.skip");
    };
    await tell(w("survey.look"), factList(questionsOf(content).map((question) => [question.title, said(question)])));
  }

  const named = !survey.anonymous;
  return table({
    label: w("survey.raw"),
    signal,
    load: ({ cursor }) => api.get(address(survey.id, "/answers"), { cursor, limit: 50 }, { signal }),
    open: look,
    none: { icon: "survey", title: w("survey.none") },
    columns: [
      ...(named ? [{ title: w("survey.at"), cell: (item) => h("span", { class: "num" }, stamp(item.at)) }, { title: w("survey.member"), cell: (item) => h("span", { class: "num" }, item.member_no || "—") }, { title: w("survey.store"), hide: "narrow", cell: (item) => item.store_id || "—" }] : []),
      { title: w("survey.media"), cell: (item) => w(`survey.${item.medium}`) },
      { title: w("survey.version"), number: true, hide: "narrow", cell: (item) => item.version },
      ...(named ? [{ title: w("survey.reward"), hide: "narrow", cell: (item) => item.prize || (item.points ? `${item.points} ${w("survey.reward_points")}` : item.coupon_ids.length ? w("survey.reward_coupon") : "—") }] : []),
      { title: w("survey.score_one"), number: true, hide: "narrow", cell: (item) => item.score ?? "—" },
      { title: w("survey.said"), width: "wide", cell: (item) => h("button", { type: "button", class: "button compact soft", onclick: (event) => { event.stopPropagation(); look(item); } }, w("survey.look")) },
    ],
  });
}
