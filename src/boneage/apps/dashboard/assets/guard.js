// Leaving the page asks first where it holds images; a server that has stopped says so.

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".guard");
  root.data = data;
  if (root.started) return;
  root.started = true;
  root.setAttribute("role", "alert");
  const leaving = event => { if (root.isConnected && root.data.keep) event.preventDefault(); };
  window.addEventListener("beforeunload", leaving);
  window.addEventListener("pagehide", event => {
    if (root.isConnected && !event.persisted) navigator.sendBeacon(root.data.end);
  });
  let failures = 0;
  const ask = async () => {
    if (!root.isConnected) { window.removeEventListener("beforeunload", leaving); return; }
    try {
      const reply = await fetch("/_stcore/health", { cache: "no-store" });
      failures = reply.ok ? 0 : failures + 1;
    } catch { failures += 1; }
    const stopped = failures > 1;
    document.body.classList.toggle("boneage-stopped", stopped);
    root.textContent = stopped ? root.data.stopped : "";
    setTimeout(ask, failures ? 1000 : 4000);
  };
  setTimeout(ask, 4000);
}
