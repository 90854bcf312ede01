/** Starts the phone page: signs in, keeps member and wallet fresh, and shows the screens. */
import { wx } from "../wx.js";
import { createApi } from "../shared/api.js";
import { createDevice } from "../shared/device.js";
import { createAddresses } from "./addresses.js";
import { createCards } from "./cards.js";
import { createCart } from "./cart.js";
import { createCases } from "./cases.js";
import { createCoupons } from "./coupons.js";
import { createConfirmations } from "./confirmations.js";
import { createIdentities } from "./identities.js";
import { createEvents } from "./events.js";
import { createFrame } from "./frame.js";
import { createMall } from "./mall.js";
import { createNotices } from "./notices.js";
import { createMessages } from "./messages.js";
import { createOrders } from "./orders.js";
import { createPrivacy } from "./privacy.js";
import { createReviews } from "./reviews.js";
import { createSeen } from "./seen.js";
import { createSpot } from "./spot.js";
import { createStore } from "./store.js";
import { createSurveys } from "./surveys.js";
import { createSuggestions } from "./suggestions.js";
import { t } from "./texts.js";
import { addressScreen } from "./screens/address.js";
import { addressesScreen } from "./screens/addresses.js";
import { afterSaleScreen } from "./screens/after_sale.js";
import { announcementScreen } from "./screens/announcement.js";
import { announcementsScreen } from "./screens/announcements.js";
import { askAfterSaleScreen } from "./screens/ask_after_sale.js";
import { campaignCardScreen } from "./screens/campaign_card.js";
import { campaignsScreen } from "./screens/campaigns.js";
import { cardsScreen } from "./screens/cards.js";
import { cartScreen } from "./screens/cart.js";
import { caseScreen } from "./screens/case.js";
import { casesScreen } from "./screens/cases.js";
import { checkoutScreen } from "./screens/checkout.js";
import { chapterScreen } from "./screens/chapter.js";
import { chatScreen } from "./screens/chat.js";
import { codeScreen } from "./screens/code.js";
import { couponCentreScreen } from "./screens/coupon_centre.js";
import { couponLinkScreen } from "./screens/coupon_link.js";
import { couponScreen } from "./screens/coupon.js";
import { couponsScreen } from "./screens/coupons.js";
import { devicesScreen } from "./screens/devices.js";
import { emailScreen } from "./screens/email.js";
import { entriesScreen } from "./screens/entries.js";
import { giftScreen } from "./screens/gift.js";
import { giftCardScreen } from "./screens/gift_card.js";
import { giftItemScreen } from "./screens/gift_item.js";
import { giftOrderScreen, giftOrdersScreen } from "./screens/gift_orders.js";
import { giftShopScreen } from "./screens/gift_shop.js";
import { goodsScreen } from "./screens/goods.js";
import { givePointsScreen } from "./screens/give_points.js";
import { groupAllotScreen } from "./screens/group_allot.js";
import { handbookScreen } from "./screens/handbook.js";
import { homeScreen } from "./screens/home.js";
import { inboxScreen } from "./screens/inbox.js";
import { invoiceScreen } from "./screens/invoice.js";
import { invoicesScreen } from "./screens/invoices.js";
import { lettersScreen } from "./screens/letters.js";
import { leaveScreen } from "./screens/leave.js";
import { levelScreen } from "./screens/level.js";
import { memberCardScreen } from "./screens/member_card.js";
import { mallScreen } from "./screens/mall.js";
import { mallSearchScreen } from "./screens/mall_search.js";
import { meScreen } from "./screens/me.js";
import { newCaseScreen } from "./screens/new_case.js";
import { orderResultScreen } from "./screens/order_result.js";
import { orderScreen } from "./screens/order.js";
import { ordersScreen } from "./screens/orders.js";
import { passScreen } from "./screens/pass.js";
import { phoneScreen } from "./screens/phone.js";
import { pinScreen } from "./screens/pin.js";
import { pointsScreen } from "./screens/points.js";
import { privacyScreen } from "./screens/privacy.js";
import { productScreen } from "./screens/product.js";
import { profileScreen } from "./screens/profile.js";
import { authoriseScreen } from "./screens/authorise.js";
import { staffPhoneScreen } from "./screens/staff_phone.js";
import { receiptScreen } from "./screens/receipt.js";
import { rechargeScreen } from "./screens/recharge.js";
import { rechargesScreen } from "./screens/recharges.js";
import { ownReviewsScreen, reviewsScreen } from "./screens/reviews.js";
import { suggestScreen } from "./screens/suggest.js";
import { suggestionScreen } from "./screens/suggestion.js";
import { ownSuggestionsScreen, suggestionBoxesScreen } from "./screens/suggestion_boxes.js";
import { failedScreen, loadingScreen, pendingScreen, refusedScreen, shutScreen, welcomeScreen } from "./screens/welcome.js";
import { rebateScreen } from "./screens/rebate.js";
import { rebatesScreen } from "./screens/rebates.js";
import { registerScreen } from "./screens/register.js";
import { surveyScreen } from "./screens/survey.js";
import { surveysScreen } from "./screens/surveys.js";

const SIGNED_OUT = "signed_out";
const SCREENS = {
  home: homeScreen,
  code: codeScreen,
  recharge: rechargeScreen,
  recharges: rechargesScreen,
  entries: entriesScreen,
  points: pointsScreen,
  "give-points": givePointsScreen,
  "group-allot": groupAllotScreen,
  "gift-shop": giftShopScreen,
  "gift-item": giftItemScreen,
  "gift-orders": giftOrdersScreen,
  "gift-order": giftOrderScreen,
  rebates: rebatesScreen,
  rebate: rebateScreen,
  mall: mallScreen,
  "mall-search": mallSearchScreen,
  goods: goodsScreen,
  product: productScreen,
  cart: cartScreen,
  checkout: checkoutScreen,
  orders: ordersScreen,
  order: orderScreen,
  "order-result": orderResultScreen,
  "ask-after-sale": askAfterSaleScreen,
  "after-sale": afterSaleScreen,
  invoice: invoiceScreen,
  invoices: invoicesScreen,
  reviews: reviewsScreen,
  "own-reviews": ownReviewsScreen,
  coupons: couponsScreen,
  coupon: couponScreen,
  "coupon-centre": couponCentreScreen,
  claim: couponLinkScreen,
  gift: giftScreen,
  cards: cardsScreen,
  "gift-card": giftCardScreen,
  pass: passScreen,
  "campaign-card": campaignCardScreen,
  campaigns: campaignsScreen,
  announcements: announcementsScreen,
  announcement: announcementScreen,
  handbook: handbookScreen,
  chapter: chapterScreen,
  surveys: surveysScreen,
  survey: surveyScreen,
  "suggestion-boxes": suggestionBoxesScreen,
  "own-suggestions": ownSuggestionsScreen,
  suggest: suggestScreen,
  receipt: receiptScreen,
  suggestion: suggestionScreen,
  cases: casesScreen,
  case: caseScreen,
  "new-case": newCaseScreen,
  inbox: inboxScreen,
  letters: lettersScreen,
  level: levelScreen,
  card: memberCardScreen,
  email: emailScreen,
  addresses: addressesScreen,
  address: addressScreen,
  chat: chatScreen,
  me: meScreen,
  profile: profileScreen,
  "staff-phone": staffPhoneScreen,
  authorise: authoriseScreen,
  privacy: privacyScreen,
  leave: leaveScreen,
  phone: phoneScreen,
  pin: pinScreen,
  devices: devicesScreen,
};

const store = createStore(wx);
const api = createApi(wx, {
  onSignedOut: () => signedOut(t("welcome.ended")),
  online: () => store.get("online"),
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
app.seen = createSeen(app);
app.addresses = createAddresses(app);
app.cards = createCards(app);
app.cart = createCart(app);
app.cases = createCases(app);
app.coupons = createCoupons(app);
app.confirmations = createConfirmations(app);
app.identities = createIdentities(app);
app.events = createEvents(app);
app.mall = createMall(app);
app.notices = createNotices(app);
app.messages = createMessages(app);
app.orders = createOrders(app);
app.privacy = createPrivacy(app);
app.reviews = createReviews(app);
app.spot = createSpot(app);
app.surveys = createSurveys(app);
app.suggestions = createSuggestions(app);
const frame = createFrame(document.getElementById("app"), app, SCREENS);
Object.assign(app, { go: frame.go, back: frame.back, route: frame.route, showRoute: frame.showRoute });

/** Fetch member, wallet and coupons anew; failures leave what is shown. */
async function refresh() {
  const [member, wallet] = await Promise.allSettled([api.get("/v1/member/profile"), api.get("/v1/member/wallet"), app.coupons.load("available"), app.messages.count()]);
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
    app.seen.clear();
    app.surveys.clear();
    app.suggestions.forgetReceipt();
  }
  store.set({ member, registration });
  if (registration === "active") entered();
  else if (registration === "pending") frame.show(pendingScreen(app));
  else if (registration === "frozen" || registration === "expired") frame.show(shutScreen(app, registration));
  else await invite();
}

/** Invite whoever is nobody yet; whom the shop refused reads why, and may ask again. */
async function invite() {
  const own = await api.get("/v1/member/registration").catch(() => null);
  frame.show(own?.state === "rejected" ? refusedScreen(app, own) : welcomeScreen(app, ""));
}

/** The member is in: show the screens and keep them fresh. */
function entered() {
  frame.showRoute();
  app.events.start();
  refresh().catch(() => undefined);
  app.privacy.arrive().catch(() => undefined);
  app.spot.arrive();
  app.surveys.resend();
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
  app.seen.clear();
  app.surveys.clear();
  app.suggestions.forgetReceipt();
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
