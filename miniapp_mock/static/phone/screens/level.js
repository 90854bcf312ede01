/** 我的等级: what it gives, until when, what keeps it, how far the next ones are, how it came to be so; and one's group. */
import { fill, h } from "../../shared/dom.js";
import { count, date, discount, inGroups, money } from "../../shared/format.js";
import { glyph } from "../icons.js";
import { busy, fact, field, skeletonRows, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

export function levelScreen(app) {
  const body = h("div", { class: "stack" });
  const node = h("div", { class: "page stack" }, body);

  async function load() {
    fill(body, h("div", { class: "card" }, skeletonRows(4)));
    try {
      const [level, history, group] = await Promise.all([app.api.get("/v1/member/level"), app.api.get("/v1/member/level/history", { limit: 20 }), app.api.get("/v1/member/group")]);
      fill(body, face(level), benefits(level.level), level.keep && keeping(level), level.next.map(next), groupCard(app, group.group, load), changes(history.items));
    } catch (error) {
      fill(body, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  load();
  return { title: t("level.title"), node };
}

function face(found) {
  const until = found.granted ? (found.granted_until ? t("level.granted_until", { day: date(found.granted_until) }) : t("level.granted")) : found.since && (found.until ? t("level.until", { day: date(found.until) }) : t("level.forever"));
  return h("section", { class: "card stack" },
    h("p", { class: "row" }, h("span", { class: "pill gold" }, glyph("crown", 16), found.level.name), until && h("span", { class: "small muted num" }, until)),
    found.lent && h("p", { class: "small muted" }, t("level.lent", { name: found.own_level.name })),
    found.locked && h("p", { class: "small muted" }, t("level.locked")));
}

function benefits(level) {
  const lines = [
    level.discount_bp > 0 && t("level.discount", { discount: discount(level.discount_bp) }),
    level.points_multiplier_bp !== 10_000 && t("level.points", { times: level.points_multiplier_bp / 10_000 }),
    ...level.benefits,
  ].filter(Boolean);
  return h("section", { class: "card stack" }, h("h2", null, t("level.benefits")), h("ul", { class: "stack" }, (lines.length ? lines : [t("level.no_benefit")]).map((line) => h("li", null, line))));
}

const shown = (metric, value) => (metric === "spend_fen" ? money(value) : count(value));

function goal(title, found, note) {
  return h("section", { class: "card stack" },
    h("h2", null, title), note && h("p", { class: "small muted num" }, note),
    found.criteria.length > 1 && h("p", { class: "tiny muted" }, t(`level.match_${found.match}`)),
    found.criteria.map((one) => {
      const name = t(one.metric === "points" ? "level.points_metric" : `level.${one.metric}`);
      return h("div", null,
        h("p", { class: "row between small" }, h("span", null, name), h("span", { class: "num muted" }, t("level.have", { have: shown(one.metric, one.have), wanted: shown(one.metric, one.wanted) }))),
        h("progress", { class: "survey-progress", max: one.wanted, value: Math.min(one.have, one.wanted), "aria-label": `${title} ${name}` }),
        h("p", { class: "tiny muted num" }, one.missing > 0 ? t("level.missing", { missing: shown(one.metric, one.missing) }) : t("level.met")));
    }));
}

function keeping(found) {
  const last = found.keep.counted_until || found.until;
  return goal(t("level.keep", { name: found.own_level.name }), found.keep, found.keep.met ? t("level.kept") : t("level.keep_by", { day: date(last) }));
}

const next = (found) => goal(t("level.next", { name: found.name }), found, found.counted_from && t("level.counted", { day: date(found.counted_from) }));

function changes(items) {
  return h("section", { class: "card flush cells" },
    h("div", { class: "cell" }, h("h2", null, t("level.history"))),
    items.length ? items.map((one) => h("div", { class: "cell" }, h("span", { class: "grow" }, t(`level.why_${one.why}`, { name: one.level_name })), h("span", { class: "small muted num" }, date(one.on)))) : h("div", { class: "cell muted" }, t("level.no_history")));
}

function groupCard(app, group, reload) {
  return group ? mine(app, group, reload) : joining(app, reload);
}

function mine(app, group, reload) {
  const said = h("p", { class: "small", role: "status" });
  const invite = h("button", { type: "button", class: "button wide", onclick: () => busy(invite, async () => {
    try {
      const made = await app.api.post("/v1/member/group/invitations", { uses: 1 });
      said.textContent = t("group.invited", { code: inGroups(made.code), day: date(made.expires_at) });
    } catch (error) {
      app.toast(problemText(error));
    }
  }) }, t("group.invite"));
  const leave = h("button", { type: "button", class: "button plain wide", onclick: async () => {
    const { confirm } = await app.wx.showModal({ title: t("group.leave_ask"), content: t("group.leave_text"), confirmText: t("group.leave"), cancelText: t("common.cancel"), danger: true });
    if (!confirm) return;
    try {
      await app.api.post("/v1/member/group/leave");
      app.toast(t("group.left"));
      app.refresh();
      reload();
    } catch (error) {
      app.toast(problemText(error));
    }
  } }, t("group.leave"));
  return h("section", { class: "card stack" },
    h("h2", null, t("group.title")),
    h("p", { class: "row" }, h("span", { class: "strong grow" }, group.name), group.level_name && h("span", { class: "pill gold" }, group.level_name), h("span", { class: "pill" }, t(`group.role_${group.role}`))),
    group.spent_fen !== null && h("dl", { class: "facts" }, fact(t("group.spent"), money(group.spent_fen))),
    group.people.length > 0 && h("p", { class: "small muted num" }, t("group.people", { count: group.members, most: group.member_limit })),
    group.people.map((one) => person(app, group, one, reload)),
    group.role === "owner" && h("button", { type: "button", class: "button primary wide", onclick: () => app.go("group-allot") }, t("group.allot")),
    group.role !== "member" && invite, said, group.role !== "owner" && leave);
}

/** Somebody of the group; who may, makes them manager or lets them go. */
function person(app, group, one, reload) {
  const own = one.member_no === app.store.get("member")?.member_no;
  const may = !own && (group.role === "owner" || one.role === "member");
  const act = (question, work) => async () => {
    const { confirm } = await app.wx.showModal({ title: t(question, { name: one.name_masked }), confirmText: t("common.confirm"), cancelText: t("common.cancel") });
    if (!confirm) return;
    try {
      await work();
      reload();
    } catch (error) {
      app.toast(problemText(error));
    }
  };
  const path = `/v1/member/group/members/${encodeURIComponent(one.id)}`;
  const role = one.role === "member" ? "manager" : "member";
  return h("div", { class: "row between small" },
    h("span", { class: "grow" }, `${one.name_masked}（${t(`group.role_${one.role}`)}）`),
    may && group.role === "owner" && h("button", { type: "button", class: "button plain compact", "aria-label": t(`group.make_${role}_of`, { name: one.name_masked }), onclick: act(`group.make_${role}_of`, () => app.api.put(`${path}/role`, { role })) }, t(`group.make_${role}`)),
    may && h("button", { type: "button", class: "button plain compact", "aria-label": t("group.remove_of", { name: one.name_masked }), onclick: act("group.remove_of", () => app.api.post(`${path}/remove`)) }, t("group.remove")));
}

function joining(app, reload) {
  const input = h("input", { class: "input", autocomplete: "off", maxlength: 24 });
  const button = h("button", { class: "button wide" }, t("group.join"));
  const join = (event) => {
    event.preventDefault();
    busy(button, async () => {
      try {
        await app.api.post("/v1/member/group/join", { code: input.value.replace(/\s/g, "").toUpperCase() });
        app.toast(t("group.joined"));
        app.refresh();
        reload();
      } catch (error) {
        app.toast(problemText(error));
      }
    });
  };
  return h("details", { class: "card" }, h("summary", null, t("group.join")), h("form", { class: "stack", onsubmit: join }, field("group-code", t("group.code"), input).node, button));
}
