/** Attempts whose outcome is not known yet, as the header counts them. */
import * as attempts from "./attempts.js";
import { change } from "./state.js";

/** Count them anew. */
export async function countAside() {
  const rows = await attempts.unfinished();
  change((now) => { now.asideCount = rows.length; });
}
