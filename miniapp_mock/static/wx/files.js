/** Files that a server gives: fetched to a path of this page's, and opened, which a browser does by downloading. */
import { api, refusal } from "./core.js";

const names = new Map(); // path: name

/** As in a mini-program: `downloadFile({ url, header })` resolves with `{ statusCode, tempFilePath }`. */
export const downloadFile = api("downloadFile", async ({ url, header = {}, timeout = 60000 }) => {
  const answer = await fetch(url, { headers: header, signal: AbortSignal.timeout(timeout) });
  if (!answer.ok) return { statusCode: answer.status, tempFilePath: "" };
  const path = URL.createObjectURL(await answer.blob());
  names.set(path, /filename="?([^";]+)"?/i.exec(answer.headers.get("Content-Disposition") || "")?.[1] || "file");
  return { statusCode: answer.status, tempFilePath: path };
});

/** Show a file that was downloaded. */
export const openDocument = api("openDocument", ({ filePath }) => {
  if (!names.has(filePath)) throw refusal("file doesn't exist");
  const link = document.createElement("a");
  link.href = filePath;
  link.download = names.get(filePath);
  link.click();
  setTimeout(() => { URL.revokeObjectURL(filePath); names.delete(filePath); }, 60000);
});
