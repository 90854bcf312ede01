/**
 * What this till keeps: the terminal and its key (which no script can read out), unanswered attempts, held baskets, the order
 * counter. IndexedDB, because it holds keys and survives a closed tab. The basket in work lives in sessionStorage (state.js).
 */
const NAME = "huiyuan-pos";
const STORES = { settings: null, attempts: "key", held: "id" };

let opening = null;

function open() {
  opening ||= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(STORES)) request.result.createObjectStore(store, keyPath ? { keyPath } : undefined);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => { opening = null; reject(request.error); };
  });
  return opening;
}

async function within(store, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode, { durability: "strict" });
    const request = work(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

export const settings = {
  get: (name) => within("settings", "readonly", (store) => store.get(name)),
  set: (name, value) => within("settings", "readwrite", (store) => store.put(value, name)),
  remove: (name) => within("settings", "readwrite", (store) => store.delete(name)),
};

const MEMBER = "member";

/** The member who was read, for a reload; nobody where it is null. */
export const keepMember = (member) => (member ? settings.set(MEMBER, member) : settings.remove(MEMBER));
export const keptMember = () => settings.get(MEMBER);

function rows(store) {
  return {
    all: () => within(store, "readonly", (rowsOf) => rowsOf.getAll()),
    put: (row) => within(store, "readwrite", (rowsOf) => rowsOf.put(row)),
    remove: (key) => within(store, "readwrite", (rowsOf) => rowsOf.delete(key)),
  };
}

export const attempts = rows("attempts");
export const held = rows("held");

/** The next order number of this terminal on this day (`261123`), counted up for good from `least`: `T0101-261123-0042`. */
export async function takeOrderNo(terminalId, day, least = 1) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("settings", "readwrite", { durability: "strict" });
    const store = transaction.objectStore("settings");
    const name = `counter:${terminalId}`;
    let orderNo = "";
    store.get(name).onsuccess = ({ target }) => {
      const last = target.result?.day === day ? target.result.number : 0;
      const number = Math.max(last + 1, least);
      orderNo = `${terminalId}-${day}-${String(number).padStart(4, "0")}`;
      store.put({ day, number }, name);
    };
    transaction.oncomplete = () => resolve(orderNo);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
