/** The live channel: events from the server within a second, with reconnection; polling stands in while it is down. */

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
const ENDED = 4401;

/**
 * Keep a channel open from `start()` to `stop()`. `onEvent(type, data)` for each event; `onState(up)` when it comes up or goes
 * down; on every coming up what happened meanwhile must be fetched by the caller. `token()` gives a fresh access token.
 */
export function createLive(wx, { url, token, onEvent, onState }) {
  let wanted = false;
  let up = false;
  let task = null;
  let timer = null;
  let wait = FIRST_WAIT_MS;

  function setUp(value) {
    if (up === value) return;
    up = value;
    onState(value);
  }

  async function open() {
    clearTimeout(timer);
    timer = null;
    if (!wanted || task) return;
    let access;
    try {
      access = await token();
    } catch (error) {
      if (error.status === 401) return; // signed out: whoever signs in again starts us
      later();
      return;
    }
    if (!wanted || task) return;
    const mine = wx.connectSocket({ url, protocols: ["huiyuan.v1", `bearer.${access}`] });
    task = mine;
    mine.onOpen(() => {
      wait = FIRST_WAIT_MS;
      setUp(true);
    });
    mine.onMessage(({ data }) => {
      const event = parsed(data);
      if (!event || typeof event.type !== "string") return;
      if (event.type === "resync") {
        // Something was missed: what a channel that comes up again does is what is needed now.
        setUp(false);
        setUp(true);
      } else onEvent(event.type, event.data || {});
    });
    mine.onError(() => undefined); // a close follows
    mine.onClose(({ code }) => {
      if (task !== mine) return;
      task = null;
      setUp(false);
      if (code === ENDED) wait = FIRST_WAIT_MS; // the token ended; `token()` brings a new one
      later();
    });
  }

  function later() {
    if (!wanted || timer) return;
    timer = setTimeout(open, wait * (0.75 + Math.random() / 2)); // many phones must not come back in one moment
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }

  return {
    isUp: () => up,
    start() {
      if (wanted) return;
      wanted = true;
      open();
    },
    /** Try at once, where a wait is running: the network is back or the page is looked at again. */
    hurry() {
      if (!wanted || task) return;
      wait = FIRST_WAIT_MS;
      open();
    },
    stop() {
      wanted = false;
      clearTimeout(timer);
      timer = null;
      const old = task;
      task = null;
      if (old) old.close({});
      setUp(false);
    },
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
