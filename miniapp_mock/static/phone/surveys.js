/**
 * The member's surveys: what is answered lies on this phone at once and on the server soon after, and what was sent goes out with
 * the same key until it is known what became of it, over restarts too. So one answer arrives, however bad the network is.
 */
import { newKey } from "../shared/api.js";

const KEPT = "surveys"; // { [survey id]: { member_id, survey, answers, page, revision, key, sending } }
const MOST = 20;
const PAGE = 20;

/** Whether this error says nothing of what became of it: then it goes out again, with the same key. */
const unknown = (error) => !(error.status < 500) || [401, 429].includes(error.status);

export function createSurveys(app) {
  const { api, store, wx } = app;
  const path = (id, what = "") => `/v1/member/surveys/${encodeURIComponent(id)}${what}`;
  const listeners = new Set();
  const saving = new Map();
  let underway = null;

  const all = () => wx.getStorageSync(KEPT) || {};
  const me = () => store.get("member")?.id;

  function kept(id) {
    const one = all()[id];
    return one && one.member_id === me() ? one : null;
  }

  /** Change what is kept of a survey; null forgets it. */
  function keep(id, change) {
    const { [id]: old, ...others } = all();
    const rest = Object.entries(others).slice(1 - MOST);
    wx.setStorageSync(KEPT, Object.fromEntries(change ? [...rest, [id, { ...old, ...change, member_id: me() }]] : rest));
  }

  /** Send what was kept up with its key; the answer, or null while nothing is known of it. */
  async function deliver(id) {
    const { key, survey, sending } = kept(id);
    try {
      const answer = await api.post(path(id, "/answers"), { version: survey.version, answers: sending }, { key });
      keep(id, null);
      const paid = answer.won && (await api.get(path(id)).catch(() => null));
      return { ...answer, gain: paid?.gain || (answer.won && { ...answer.won, coupon_ids: [], paid: false }) };
    } catch (error) {
      if (unknown(error)) return null;
      keep(id, error.code === "survey_answered" ? null : { sending: null, key: null });
      throw error;
    }
  }

  const surveys = {
    /** A page of what was answered; with the first one what waits. */
    list: (cursor) => (cursor ? api.get("/v1/member/surveys", { limit: PAGE, cursor }) : app.seen.get("/v1/member/surveys", { limit: PAGE })),

    kept,

    /** Send a photo for an anonymous answer; its id. */
    addPhoto: async (id, bytes) => (await api.upload(path(id, "/photos"), bytes, "image/jpeg")).id,

    /** A survey with the newest answers, those of this phone or those of another; without a network as it was seen last. */
    async open(id) {
      const local = kept(id);
      let survey;
      try {
        survey = await api.get(path(id));
      } catch (error) {
        if (local && unknown(error)) return { ...local, stale: true };
        throw error;
      }
      if (survey.standing === "done") {
        if (!local?.sending) keep(id, null);
        return { survey, answers: [], page: 0, revision: 0 };
      }
      const mine = local && local.revision > survey.saved.revision && local.survey.version === survey.version;
      const { answers, page, revision } = mine ? local : survey.saved;
      keep(id, { survey, answers, page, revision });
      return kept(id);
    },

    /** Keep answers here at once; `save` brings them to the server. */
    note(id, answers, page) {
      const { revision } = kept(id);
      keep(id, { answers, page, revision: revision + 1 });
    },

    /** Bring what is kept to the server: whether it is there. One at a time; what changed meanwhile follows. */
    async save(id) {
      if (saving.has(id)) {
        saving.set(id, true);
        return false;
      }
      saving.set(id, false);
      try {
        const { survey, revision, page, answers } = kept(id);
        await api.put(path(id, "/progress"), { version: survey.version, revision, page, answers }, { again: true, tries: 1 });
      } catch (error) {
        return false;
      } finally {
        const more = saving.get(id);
        saving.delete(id);
        if (more && kept(id)) surveys.save(id);
      }
      return true;
    },

    /** Send the whole answer; null: it is kept, and goes out when the network is back. */
    async send(id, answers) {
      if (!kept(id).key) keep(id, { key: await newKey(wx) });
      keep(id, { sending: answers });
      return deliver(id);
    },

    /** Send what waits for the network; told to who listens. */
    resend() {
      underway ||= (async () => {
        for (const id of Object.keys(all())) {
          if (!kept(id)?.sending) continue;
          const answer = await deliver(id).catch((error) => error);
          if (answer) listeners.forEach((listener) => listener(id, answer));
        }
      })().finally(() => { underway = null; });
      return underway;
    },

    /** Hear what became of an answer that waited: `run(id, answer or error)`; returns the function that ends it. */
    onSent(run) {
      listeners.add(run);
      return () => listeners.delete(run);
    },

    /** Forget all of it: somebody else is here. */
    clear: () => wx.removeStorageSync(KEPT),
  };

  let was = store.get("online");
  store.watch(["online"], () => {
    const now = store.get("online");
    if (now && !was) surveys.resend();
    was = now;
  });
  return surveys;
}
