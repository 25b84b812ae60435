"""A foreign WHIP and WHEP client: GStreamer's webrtcbin. Run by the system's own Python.

    gst_client.py play URL H264|VP8      prints width, height and the mean colour of a picture
    gst_client.py publish URL H264|VP8   sends a picture, half of it green
Either goes on until its standard input closes.
"""

import sys
import threading
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

PLAY = {"H264": "rtph264depay ! avdec_h264", "VP8": "rtpvp8depay ! vp8dec"}
PUBLISH = {
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=800 ! "
    "video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 pt=96 ! "
    "application/x-rtp,media=video,encoding-name=H264,payload=96,packetization-mode=(string)1",
    "VP8": "vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96 ! "
    "application/x-rtp,media=video,encoding-name=VP8,payload=96",
}
CAPS = {
    "H264": "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f",
    "VP8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
}


def post(url, offer):
    request = urllib.request.Request(
        url, offer.encode(), {"Content-Type": "application/sdp"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=15) as answer:
        return answer.read().decode()


class Client:
    def __init__(self, what, url, codec):
        self.url, self.codec = url, codec
        self.pipe = Gst.Pipeline.new("client")
        if what == "publish":
            self.pipe = Gst.parse_launch(
                "videotestsrc is-live=true pattern=solid-color foreground-color=0xff00c800 ! "
                "video/x-raw,format=I420,width=160,height=180,framerate=30/1 ! "
                "videobox left=-160 ! "
                f"{PUBLISH[codec]} ! webrtcbin name=rtc bundle-policy=max-bundle"
            )
            self.rtc = self.pipe.get_by_name("rtc")
        else:
            self.rtc = Gst.ElementFactory.make("webrtcbin", "rtc")
            self.rtc.set_property("bundle-policy", "max-bundle")
            self.pipe.add(self.rtc)
            receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.rtc.emit("add-transceiver", receive, Gst.Caps.from_string(CAPS[codec]))
            self.rtc.connect("pad-added", self.show)
        self.rtc.connect("notify::ice-gathering-state", self.gathered)
        self.offered = False

    def start(self):
        self.pipe.set_state(Gst.State.PLAYING)
        threading.Timer(0.5, self.offer).start()

    def offer(self):
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.describe))

    def describe(self, promise):
        promise.wait()
        reply = promise.get_reply()
        self.rtc.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def gathered(self, rtc, _):
        if rtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        if not self.offered:
            self.offered = True
            threading.Thread(target=self.exchange, daemon=True).start()

    def exchange(self):
        answer = post(self.url, self.rtc.get_property("local-description").sdp.as_text())
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        described = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        self.rtc.emit("set-remote-description", described, Gst.Promise.new())

    def show(self, rtc, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        sink = Gst.parse_bin_from_description(
            f"{PLAY[self.codec]} ! videoconvert ! video/x-raw,format=RGB ! "
            "appsink name=out emit-signals=true sync=false",
            True,
        )
        sink.get_by_name("out").connect("new-sample", self.seen)
        self.pipe.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def seen(self, sink):
        sample = sink.emit("pull-sample")
        shape = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        buffer = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        print(width, height, *data[3 * width * 4 + 12 :][:3], flush=True)
        return Gst.FlowReturn.OK


Gst.init(None)
client = Client(*sys.argv[1:4])
client.start()
sys.stdin.read()
client.pipe.set_state(Gst.State.NULL)
