/** Starts the phone page: signs in, keeps member and wallet fresh, and shows the screens. */
import { wx } from "../wx.js";
import { createApi } from "../shared/api.js";
import { createDevice } from "../shared/device.js";
import { createConfirmations } from "./confirmations.js";
import { createEvents } from "./events.js";
import { createFrame } from "./frame.js";
import { createStore } from "./store.js";
import { t } from "./texts.js";
import { codeScreen } from "./screens/code.js";
import { devicesScreen } from "./screens/devices.js";
import { entriesScreen } from "./screens/entries.js";
import { homeScreen } from "./screens/home.js";
import { meScreen } from "./screens/me.js";
import { pinScreen } from "./screens/pin.js";
import { profileScreen } from "./screens/profile.js";
import { rechargeScreen } from "./screens/recharge.js";
import { failedScreen, loadingScreen, pendingScreen, welcomeScreen } from "./screens/welcome.js";
import { registerScreen } from "./screens/register.js";

const SIGNED_OUT = "signed_out";
const SCREENS = {
  home: homeScreen,
  code: codeScreen,
  recharge: rechargeScreen,
  entries: entriesScreen,
  me: meScreen,
  profile: profileScreen,
  pin: pinScreen,
  devices: devicesScreen,
};

const store = createStore(wx);
const api = createApi(wx, {
  onSignedOut: () => signedOut(t("welcome.ended")),
  exclusive: (run) => (navigator.locks ? navigator.locks.request("huiyuan-refresh", run) : run()),
});
const device = createDevice(wx, api);

const app = {
  wx,
  api,
  device,
  store,
  chainName: document.querySelector('meta[name="chain-name"]').content,
  ready: () => store.get("registration") === "active" && api.signedIn(),
  toast: (title) => wx.showToast({ title, icon: "none" }),
  refresh,
  signIn,
  signOut,
  register: () => frame.show(registerScreen(app)),
  welcome: () => frame.show(welcomeScreen(app, "")),
  entered,
};
app.confirmations = createConfirmations(app);
app.events = createEvents(app);
const frame = createFrame(document.getElementById("app"), app, SCREENS);
Object.assign(app, { go: frame.go, back: frame.back, route: frame.route });

/** Fetch member and wallet anew; failures leave what is shown. */
async function refresh() {
  const [member, wallet] = await Promise.allSettled([api.get("/v1/member/profile"), api.get("/v1/member/wallet")]);
  if (member.status === "fulfilled") store.set({ member: member.value });
  if (wallet.status === "fulfilled") store.set({ wallet: wallet.value });
  const failed = [member, wallet].find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

/** Sign in with WeChat and show what follows: the screens, the registration, or the wait for approval. */
async function signIn() {
  wx.removeStorageSync(SIGNED_OUT);
  const answer = await api.login();
  const member = answer.member || null;
  const registration = answer.registration || (member ? "active" : "none");
  if (store.get("member") && member?.id !== store.get("member").id) {
    device.forget();
    store.clear();
  }
  store.set({ member, registration });
  if (registration === "active") entered();
  else if (registration === "pending") frame.show(pendingScreen(app));
  else frame.show(welcomeScreen(app, ""));
}

/** The member is in: show the screens and keep them fresh. */
function entered() {
  frame.showRoute();
  app.events.start();
  refresh().catch(() => undefined);
}

/** Leave on purpose; the device stops showing codes. */
async function signOut(everywhere) {
  if (device.known()) await api.delete(`/v1/member/devices/${encodeURIComponent(device.id())}`).catch(() => undefined);
  await api.logout(everywhere);
  signedOut(t("welcome.signed_out"));
}

function signedOut(note) {
  wx.setStorageSync(SIGNED_OUT, note);
  app.events.stop();
  device.forget();
  store.clear();
  location.replace("#/home");
  frame.show(welcomeScreen(app, note));
}

async function start() {
  const note = wx.getStorageSync(SIGNED_OUT);
  if (note) {
    frame.show(welcomeScreen(app, note));
    return;
  }
  if (app.ready()) {
    entered();
    return;
  }
  frame.show(loadingScreen());
  try {
    await signIn();
  } catch (error) {
    frame.show(failedScreen(error, start));
  }
}

wx.onNetworkStatusChange(({ isConnected }) => store.set({ online: isConnected }));
wx.getNetworkType().then(({ networkType }) => store.set({ online: networkType !== "none" }));
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => undefined);
start();
