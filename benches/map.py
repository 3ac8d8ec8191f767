"""How long report.html takes to open, and the map in it to be moved, in headless Chromium.

usage: python benches/map.py report.html [report.html ...]

Opens each page in a fresh browser (software rendering), waits for it to be drawn, drags the map for 120 frames and zooms it
for 60, whole and then enlarged. Prints seconds to the end of the first drawing, the time of one drawing of the map, and the
time from frame to frame. `CHROME` names the browser.
"""
import json, os, subprocess, sys, tempfile, time

MEASURE = """(async () => {
  const frame = document.querySelector('.map-frame');
  if (!frame) return null;
  const times = [];
  const draw = MapView.prototype.draw;
  MapView.prototype.draw = function () { const from = performance.now(); draw.call(this); times.push(performance.now() - from); };
  const next = () => new Promise(requestAnimationFrame);
  const box = frame.getBoundingClientRect();
  const pointer = (kind, x, y) => frame.dispatchEvent(new PointerEvent(kind, { bubbles: true, pointerId: 1, pointerType: 'mouse',
    clientX: box.left + box.width / 2 + x, clientY: box.top + box.height / 2 + y }));
  const middle = list => [...list].sort((a, b) => a - b);
  const run = async (frames, act) => {
    times.length = 0;
    const at = [];
    for (let k = 0; k < frames; k += 1) { act(k); at.push(await next()); }
    const gaps = middle(at.slice(1).map((t, k) => t - at[k]));
    const draws = middle(times);
    const of = (list, p) => Math.round(10 * list[Math.floor(p * (list.length - 1))]) / 10;
    return { draw_least: of(draws, 0), draw: of(draws, 0.5), draw_95: of(draws, 0.95), frame: of(gaps, 0.5), frame_95: of(gaps, 0.95) };
  };
  const drag = async () => {
    pointer('pointerdown', 0, 0);
    const found = await run(120, k => pointer('pointermove', 150 * Math.sin(k / 9), 100 * Math.cos(k / 7)));
    pointer('pointerup', 0, 0);
    return found;
  };
  const zoom = () => run(60, k => frame.dispatchEvent(new WheelEvent('wheel', { bubbles: true, cancelable: true,
    clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, deltaY: k < 30 ? -60 : 40 })));
  const navigation = performance.getEntriesByType('navigation')[0];
  const canvas = frame.querySelector('canvas');
  return { opened: Math.round(navigation.loadEventEnd), canvas: `${canvas.width} x ${canvas.height}`, heap_mb: Math.round(performance.memory.usedJSHeapSize / 1e6),
    drag_whole: await drag(), zoom: await zoom(), drag_enlarged: await drag() };
})()"""


class Browser:
    """Chromium, spoken to over a pair of pipes."""

    def __init__(self, profile, ratio):
        from_us, to_us = os.pipe(), os.pipe()

        def ends():
            os.dup2(from_us[0], 13); os.dup2(to_us[1], 14)
            os.dup2(13, 3); os.dup2(14, 4)

        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}",
                 "--window-size=1280,900", f"--force-device-scale-factor={ratio}", "about:blank"]
        self.process = subprocess.Popen([os.environ.get("CHROME", "chromium"), *flags], preexec_fn=ends, close_fds=False,
                                        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(from_us[0]); os.close(to_us[1])
        self.write, self.read = os.fdopen(from_us[1], "wb", 0), os.fdopen(to_us[0], "rb", 0)
        self.number, self.rest = 0, b""

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self.write.write(json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                self.rest += self.read.read(1 << 20) or sys.exit("the browser has gone")
            one, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(one)
            if answer.get("id") == self.number:
                return answer["result"]


def measure(page, ratio):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile, ratio)
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        evaluate = lambda code: browser.call("Runtime.evaluate", session, expression=code, awaitPromise=True, returnByValue=True)["result"].get("value")
        browser.call("Page.enable", session)
        browser.call("Page.navigate", session, url="file://" + os.path.abspath(page))
        while evaluate("document.readyState === 'complete' && performance.getEntriesByType('navigation')[0].loadEventEnd > 0") is not True:
            time.sleep(0.1)
        time.sleep(1)
        found = evaluate("document.querySelector('.map-frame')?.scrollIntoView({ block: 'center' })") or evaluate(MEASURE)
        browser.call("Browser.close")
        browser.process.wait(20)
    return found


for page in sys.argv[1:]:
    for ratio in (1, 2):
        print(f"{page} ({os.path.getsize(page) / 1e6:.1f} MB), {ratio} screen pixels a page pixel: {json.dumps(measure(page, ratio))}")
