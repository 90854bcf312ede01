/** What must happen once however often it is sent: a wish keeps its key until it is known what became of it, over restarts too. */
import { newKey } from "../shared/api.js";
import { sha256, toHex } from "../shared/sha256.js";

/**
 * Whether this error says nothing of what became of the wish: then it may go out again, with the same key. One that was not
 * let in (401, 429) may follow a first one whose answer was lost.
 */
const unknown = (error) => !(error.status < 500) || [401, 429].includes(error.status);

export function createIntents({ api, store, wx }) {
  /** What a wish is kept under: a code that is good for a coupon is not written down. */
  const nameOf = (wish) => toHex(sha256(Uint8Array.from(encodeURIComponent(JSON.stringify(wish)), (char) => char.charCodeAt(0))));

  function note(name, intent) {
    const { [name]: old, ...others } = store.get("claims") || {};
    store.set({ claims: intent ? { ...others, [name]: intent } : others });
  }

  return {
    /**
     * Send a wish. While nothing is known of what became of it, the same wish goes out with the same key, also after a restart;
     * `had` is how many of it the member has as far as is known, so that one more is another wish.
     */
    async once(path, body = {}, had = 0) {
      const name = nameOf([path, body]);
      let intent = store.get("claims")?.[name];
      if (!intent || intent.had !== had) {
        intent = { key: await newKey(wx), had };
        note(name, intent);
      }
      try {
        const answer = await api.post(path, body, { key: intent.key });
        note(name, null);
        return answer;
      } catch (error) {
        if (!unknown(error)) note(name, null);
        throw error;
      }
    },
  };
}
