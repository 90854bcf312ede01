/** The member dialog (F8): the code typed by hand, or read by the camera where the browser can. */
import { h } from "/static/shared/dom.js";
import { inGroups } from "/static/shared/format.js";
import { button, field, keypad, openDialog } from "./dialogs.js";
import { picture } from "./icons.js";
import { isMemberCode } from "./scanner.js";
import { t } from "./texts.js";

const LENGTH = 20;
const LOOK_MS = 150;

const digitsOf = (text) => text.replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/\D/g, "").slice(0, LENGTH);

/** Write the digits in groups of four and keep the caret behind the same digit. */
function regroup(input) {
  const before = digitsOf(input.value.slice(0, input.selectionStart)).length;
  const digits = digitsOf(input.value);
  input.value = inGroups(digits);
  const caret = before + Math.floor(Math.max(0, before - 1) / 4);
  input.setSelectionRange(caret, caret);
  return digits;
}

/** Resolves to `{ code, entry }`, or null. */
export async function askCode() {
  const input = h("input", { class: "input big num", id: "code-input", inputmode: "numeric", autocomplete: "off", autofocus: true, maxlength: "24" });
  const { wrapper, complain } = field(t("code.label"), input);
  const left = h("p", { class: "small muted num", "aria-live": "polite" }, t("code.short", { count: LENGTH }));
  const take = () => {
    const code = digitsOf(input.value);
    if (isMemberCode(code)) dialog.close({ code, entry: "typed" });
    else complain(code.length === LENGTH ? t("code.wrong") : t("code.short", { count: LENGTH - code.length }));
  };
  input.addEventListener("input", () => {
    const digits = regroup(input);
    complain(digits.length === LENGTH && !isMemberCode(digits) ? t("code.wrong") : "");
    left.textContent = digits.length < LENGTH ? t("code.short", { count: LENGTH - digits.length }) : "";
    if (isMemberCode(digits)) take();
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); take(); } });

  const pad = keypad(input);
  const camera = new Camera((code) => dialog.close({ code, entry: "scanned" }));
  const dialog = openDialog({
    title: t("code.title"),
    body: [
      h("p", { class: "small muted" }, t("code.hint")), wrapper, left,
      camera.possible ? button(
        [picture("camera", 20), t("member.camera")],
        (event) => { pad.hidden = true; camera.start(event.currentTarget); },
        "soft",
      ) : null,
      camera.view, pad,
    ],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(t("common.confirm"), take, "primary", { id: "code-save" })],
    onClose: () => camera.stop(),
  });
  return dialog.closed;
}

/** Looks through the camera until it sees a member code. */
class Camera {
  constructor(onCode) {
    this.onCode = onCode;
    this.video = h("video", { class: "camera-video", playsinline: true, muted: true, "aria-label": t("camera.title") });
    this.text = h("p", { class: "small muted center", role: "status" }, t("camera.hint"));
    this.view = h("div", { class: "camera", hidden: true }, this.video, this.text);
  }

  get possible() {
    return "BarcodeDetector" in window && Boolean(navigator.mediaDevices?.getUserMedia);
  }

  async start(opener) {
    opener.hidden = true;
    this.view.hidden = false;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      if (this.stopped) return this.stop();
      this.video.srcObject = this.stream;
      await this.video.play();
      this.detector = new BarcodeDetector({ formats: ["qr_code", "code_128"] });
      return this.look();
    } catch {
      this.text.textContent = t("camera.denied");
      return this.stop();
    }
  }

  async look() {
    if (this.stopped) return;
    const seen = await this.detector.detect(this.video).catch(() => []);
    const code = seen.map((one) => one.rawValue).find(isMemberCode);
    if (code) this.onCode(code);
    else setTimeout(() => this.look(), LOOK_MS);
  }

  stop() {
    this.stopped = true;
    for (const track of this.stream?.getTracks() || []) track.stop();
  }
}
