/** Small things with a key of their own beside the sale: a use of a service card, a gift card loaded, charged, given back. */
import * as attempts from "./attempts.js";
import { notify, trouble } from "./notices.js";
import { sendShown } from "./retry_dialog.js";
import { t } from "./texts.js";
import { countAside } from "./undecided.js";

const KIND = "errand";

export const is = (attempt) => attempt.kind === KIND;

/**
 * Send it until the server decides: resolves to its answer, or to null where the cashier put it aside; throws the refusal.
 * `what` is what it is called, `orderNo` what it belongs to.
 */
export async function run(path, body, { what, orderNo }) {
  return carry(await attempts.begin(KIND, path, body, { what, orderNo }), false);
}

async function carry(attempt, resumed) {
  attempts.inHand.add(attempt.key);
  try {
    const answer = await sendShown(attempt, { resumed });
    await attempts.end(attempt);
    return answer;
  } catch (error) {
    if (!(error instanceof attempts.PutAside)) {
      await attempts.end(attempt);
      throw error;
    }
    attempts.inHand.delete(attempt.key);
    notify(t("errand.aside", { what: attempt.memo.what }));
    return null;
  } finally {
    await countAside();
  }
}

/** Say that one which was put aside, or cut short, went through. */
export async function done(attempt) {
  await attempts.end(attempt);
  notify(t("errand.done", { what: attempt.memo.what, order: attempt.memo.orderNo }), { stays: true });
}

/** Take one up again. */
export async function resume(attempt) {
  try {
    if (await carry(attempt, true)) await done(attempt);
  } catch (error) {
    trouble(error);
  }
}
