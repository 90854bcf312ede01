/**
 * This phone as an enrolled device: it keeps a handle and a secret, so that it can show codes without a network. Enrolled once
 * online, its handle renewed daily, enrolled anew when it was revoked.
 */
import { codeFor, MEMBER, secondsLeft, STEP_S, stepAt } from "./code.js";

const DEVICE = "device";
const BEHIND_MS = 1500; // the server takes no code of a future step; one a little old is as good
const ROTATE_AFTER_MS = 20 * 3600 * 1000; // "at least daily", and not at the very same hour each day

export function createDevice(wx, api) {
  let device = wx.getStorageSync(DEVICE) || null;
  let ensuring = null; // one at a time: two would enrol the phone twice

  function keep(value) {
    device = value;
    if (value) wx.setStorageSync(DEVICE, value);
    else wx.removeStorageSync(DEVICE);
  }

  async function enroll(name) {
    const sentAt = Date.now();
    const given = await api.post("/v1/member/devices", { name });
    learnTime(given.server_time, sentAt);
    keep({
      id: given.device_id || given.id,
      handle: String(given.handle),
      secret: given.secret,
      stepS: given.step_s || STEP_S,
      renewedAt: Date.now(),
    });
  }

  function learnTime(serverTime, sentAt) {
    const server = typeof serverTime === "number" ? serverTime * 1000 : Date.parse(serverTime || "");
    if (Number.isFinite(server)) api.setClockOffset(server - (sentAt + Date.now()) / 2);
  }

  async function renew() {
    const sentAt = Date.now();
    const given = await api.post(`/v1/member/devices/${encodeURIComponent(device.id)}/rotate`);
    learnTime(given.server_time, sentAt);
    keep({ ...device, handle: String(given.handle), renewedAt: Date.now() });
  }

  async function makeSure(name) {
    if (device) {
      const { items = [] } = await api.get("/v1/member/devices");
      const mine = items.find((item) => (item.device_id || item.id) === device.id);
      if (!mine || mine.revoked || mine.revoked_at || mine.status === "revoked") keep(null);
      else if (mine.rotate === true || Date.now() - device.renewedAt > ROTATE_AFTER_MS) await renew();
    }
    if (!device) await enroll(name);
  }

  return {
    known: () => Boolean(device),
    id: () => (device ? device.id : null),

    /** Make sure, online, that this phone is enrolled, not revoked, and its handle not old. */
    ensure(name) {
      ensuring ||= makeSure(name).finally(() => { ensuring = null; });
      return ensuring;
    },

    forget: () => keep(null),

    /** The code that holds now, its step, and the seconds it has left; null where this phone is not enrolled. */
    current(purpose = MEMBER) {
      if (!device) return null;
      const now = api.serverNow() - BEHIND_MS;
      const step = stepAt(now, device.stepS);
      return { code: codeFor(device, step, purpose), step, stepS: device.stepS, leftS: secondsLeft(now, device.stepS) };
    },
  };
}
