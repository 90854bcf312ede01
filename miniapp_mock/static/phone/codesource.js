/** Where the code comes from: this phone's own device; where it cannot be enrolled, the server's code for the session. */

/** `{ ensure(), current(), stop() }`; `current()` is `{ code, step, stepS, leftS }` or null. */
import { MEMBER } from "../shared/code.js";

export function createCodeSource(app, { purpose = MEMBER, path = "/v1/member/code" } = {}) {
  let fromServer = null;
  let timer = null;
  let stopped = false;

  async function fetchCode() {
    clearTimeout(timer);
    const answer = await app.api.get(path);
    fromServer = { code: answer.code, until: Math.min(Date.parse(answer.expires_at), app.api.serverNow() + answer.refresh_after_s * 1000) };
    if (!stopped) timer = setTimeout(() => fetchCode().catch(() => undefined), Math.max(1, answer.refresh_after_s) * 1000);
  }

  function serverCode() {
    if (!fromServer) return null;
    const leftS = (fromServer.until - app.api.serverNow()) / 1000;
    return leftS > -5 ? { code: fromServer.code, step: fromServer.until, stepS: 15, leftS: Math.max(0, leftS) } : null;
  }

  return {
    /** Have a code to show: enrol or renew this phone; fall back to the server's. */
    async ensure() {
      try {
        await app.device.ensure(phoneName(app));
      } catch (error) {
        if (app.device.known()) return; // offline: what is kept still makes codes
        if (error.name === "NetworkError") throw error;
        await fetchCode();
      }
    },
    current: () => app.device.current(purpose) || serverCode(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function phoneName(app) {
  const { brand = "", model = "" } = app.wx.getDeviceInfo();
  return `${brand} ${model}`.trim().slice(0, 40) || "手机";
}
