/** Words for what an answer is promised and given. */
import { count } from "../shared/format.js";
import { t } from "./texts.js";

/** What an answer is promised, in a line; "" for nothing. */
export function promiseWords(reward) {
  if (!reward) return "";
  if (reward.points) return t("survey.reward_points", { count: count(reward.points) });
  if (reward.coupon) return t("survey.reward_coupon", { title: reward.coupon });
  return reward.prizes?.length ? t("survey.reward_draw") : "";
}

/** What was given, in a word or two. */
export function gainWords(gain) {
  if (gain.prize) return gain.prize;
  return gain.points ? t("common.points", { count: count(gain.points) }) : gain.coupon || "";
}

/** What was given, in a sentence. */
export function gainSentence(gain) {
  if (!gain.paid) return t("survey.on_its_way");
  return gain.points ? t("survey.got_points", { count: count(gain.points) }) : t("survey.got_coupon", { title: gain.coupon || "" });
}
