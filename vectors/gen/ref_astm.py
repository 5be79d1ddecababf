"""Reference ASTM E1381 / LIS01 receiver and frame codec. One byte at a time, virtual clock in ms."""
import re
STX,ETX,EOT,ENQ,ACK,LF,CR,NAK,ETB=2,3,4,5,6,10,13,0x15,0x17
RESTRICTED={1,2,3,4,5,6,0x10,0x15,0x16,0x17,0x11,0x12,0x13,0x14}   # LF is judged by what stands before it
PUNCT={x for x in range(0x21,0x7f) if not chr(x).isalnum()}
def checksum(body):           # FN .. ETX/ETB inclusive
    return b"%02X"%(sum(body)&0xFF)
def frame(fn,text,last=True):
    body=b"%d"%(fn%8)+text+bytes([ETX if last else ETB])
    return bytes([STX])+body+checksum(body)+b"\r\n"
def frames(records,max_text=240):
    """each record becomes 1..n frames; numbering runs on over the session"""
    out=[]
    for t in records:
        parts=[t[i:i+max_text] for i in range(0,len(t),max_text)] or [b""]
        for k,p in enumerate(parts): out.append(frame(len(out)+1,p,k==len(parts)-1))
    return out
DEFAULTS=dict(profile="default",max_text=10_000_000,max_message=10_000_000,checksum="any_case",frame_numbers="checked",content="records",
    ready=True,quiet=250,broken_off=5000,next_frame=30000,handler=10000,slow="nak",host="accept")

class Receiver:
    def __init__(self,**options):
        for k,v in {**DEFAULTS,**options}.items(): setattr(self,k,v)
        self.now=0; self.ev=[]; self.inq=bytearray(); self.junk=0
        self.session=False; self.raw=None; self.last_byte=0; self.last_reply=0
        self.enq_held=None; self.held=None          # how long an ENQ outside frames is held; ENQ or EOT inside one
        self.asked=None; self.noise_at=None         # when an ENQ in a session was refused; the last noise
        self.seen_sum=False; self.owed=None; self.slow_frame=None; self.known=[]
        self._clear()
    def _clear(self):
        self.text=b""; self.complete=False; self.frames_in_message=0
        self.expected=1; self.last=None; self.last_text=None; self.refusals=0; self.nul=None
        self.n_frames=self.n_messages=0; self.restarts=0; self.printable=0; self.foreign=False; self.last_good_etx=False
    # ---- events
    def _out(self,**e): self.ev.append(e)
    def _flush(self):
        if self.junk: self._out(ev="discard",len=self.junk); self.junk=0
    def _send(self,b): self._out(ev="send",byte="%02x"%b); self.last_reply=self.now
    # ---- input
    def feed(self,data): self.inq+=data; self._pump()
    def _pump(self):
        while self.inq and self.owed is None: self._byte(self.inq.pop(0))
    def _byte(self,b):
        if self.raw is None: self._outside(b)
        else: self._inside(b)
        self.last_byte=self.now
    def _outside(self,b):
        self.held=None                              # it was a byte of the frame before
        if self.enq_held is not None: self.enq_held=None; self.junk+=1; self._flush()
        asked,self.asked=self.asked,None
        if b==STX and (self.session or self.profile=="default"):
            self._flush()
            if not self.session: self._start(["no_enq"])
            self.raw=bytearray(); self.held=None; self.printable=0; self.restarts=0
        elif b==ENQ and not self.session:
            self._flush()
            if self.noise_at is not None and self.now<self.noise_at+self.quiet: self.enq_held=self.quiet
            else: self._accept_enq()
        elif b==ENQ and self.profile=="default":
            self._flush(); self.again=asked is not None and self.now>=asked+self.broken_off
            self.enq_held=self.quiet if self.again else self.broken_off
        elif b==EOT and self.session: self._flush(); self._end("eot")
        elif b in (ENQ,EOT,ACK,NAK): self._flush(); self.junk=1; self._flush()
        else:
            self.junk+=1; self.noise_at=self.now
            if self.session and self.n_frames==0 and not self.foreign:
                self.printable=self.printable+1 if 0x20<=b<0x7f else 0
                if self.printable>=16: self.foreign=True; self._out(ev="foreign_body")
    def _accept_enq(self):
        if self.ready: self._start([]); self._send(ACK)
        else: self._send(NAK)
    def _start(self,deviations):
        n=self.restarts; self._clear(); self.session=True; self.restarts=n
        self._out(ev="session_start",**({"deviations":deviations} if deviations else {}))
        self.last_reply=self.now
    def _inside(self,b):
        parts=self._parts()
        if b==STX:
            if parts and (parts[2] is not None or parts[1]==b"" and not parts[3]): self._frame_ends(True)   # after the sum, or without one
            else: self._broken("stx_in_frame")
            # the frame that the STX ended is judged first; the STX opens the next
            if self.owed is not None: self.inq[:0]=bytes([b]); return
            self._outside(b); return
        self.raw.append(b); self.held=b if b in (ENQ,EOT) else None
        parts=self._parts()
        if parts and parts[2] is not None and b==LF: self._frame_ends(False)
    def _parts(self):
        """None in the text, else body, sum characters, tail (None before it begins), damaged in the sum"""
        found=re.search(b"[\3\x17]",self.raw)
        if not found: return None
        i=found.start(); body,rest=bytes(self.raw[:i+1]),bytes(self.raw[i+1:])
        for k in range(2):
            if k>=len(rest): return body,rest,None,False
            if rest[k] in (CR,LF): return body,rest[:k],rest[k:],False
            if rest[k] in (ENQ,EOT): return body,rest[:k],rest[k:],True
        return body,rest[:2],rest[2:],False
    # ---- judging
    def _broken(self,fault):
        self.raw=None; self.held=None; self._out(ev="refused",fault=fault)
    def _frame_ends(self,by_stx):
        body,cs,tail,damaged=self._parts(); self.raw=None
        if by_stx: self.held=None
        tail=tail or b""
        dev=[]; fault=None; n=None
        etx=body[-1]==ETX; sum_=checksum(body); body=body[:-1]
        if body[:1] and 0x30<=body[0]<=0x37: n=body[0]-0x30; text=body[1:]
        else: text=body
        if damaged or ENQ in body or EOT in body: fault="damaged_frame"
        elif len(text)>self.max_text: fault="too_long"
        elif cs==b"":
            if not(self.profile=="default" and (self.checksum=="absent" or not self.seen_sum and not by_stx)): fault="no_checksum"
            else: dev.append("no_checksum")
        elif cs.upper()!=sum_: fault="bad_checksum"
        elif cs!=sum_:
            if self.profile=="strict" or self.checksum=="exact_case": fault="bad_checksum"
            else: dev.append("lowercase_checksum")
        if fault is None and cs: self.seen_sum=True
        if not tail.startswith(b"\r\n"):
            if tail[:1]==b"\r": 
                if not tail.endswith(b"\n"): dev.append("tail_cr")
            elif tail.endswith(b"\n"): dev.append("tail_lf")
            else: dev.append("tail_none")
        self._judge(n,text,etx,dev,fault,by_stx)
    def _judge(self,n,text,etx,dev,fault,by_stx):
        strict=self.profile=="strict"
        lf_after_cr=b"\r\n" in text
        if b"\n" in text.replace(b"\r\n",b"") or RESTRICTED&set(text) or strict and lf_after_cr:
            if strict: fault=fault or "restricted_char"
            else: dev.append("restricted_char")
        if lf_after_cr and not strict: dev.append("lf_after_cr")
        if fault is None and n is None:
            delim={self.text[1]} if self.text[:1]==b"H" and len(self.text)>1 and not self.complete else PUNCT
            if not strict and len(text)>1 and 65<=text[0]<=90 and text[1] in delim: dev.append("no_frame_number")
            else: fault="bad_frame_number"
        if fault is None and 0 in text:
            if self.nul==(n,text): dev.append("nul_in_text")
            else: self.nul=(n,text); self._refuse("nul_in_text",n,by_stx); return
        self.nul=None
        if fault is None and self.slow_frame is not None:
            if (n,text)==self.slow_frame["key"]: self._slow_repeat(n); return
            fault="sequence"
        if fault is None and self.frame_numbers=="checked":
            repeat=False
            if n is None: repeat=self.last_text==(None,text) 
            elif self.last is not None and n==self.last:
                if strict or self.last_text==(n,text): repeat=True
                else: dev.append("same_number_new_text")
            elif self.last is None and n!=1:
                if strict: fault="sequence"
                else: dev.append("first_frame_number")
            elif self.last is not None and n!=self.expected: fault="sequence"
            if repeat: self._out(ev="repeat",number=n); self.refusals=0; self._send(ACK); return
        so_far=b"" if self.complete else self.text
        if fault is None and self.content!="opaque" and so_far==b"" and text:
            if text[:1]!=b"H" or len(text)>1 and text[1] not in PUNCT: fault="no_header"
        if fault is None and len(so_far)+len(text)+1>self.max_message: fault="message_too_long"
        if fault: self._refuse(fault,n,by_stx); return
        self._good(n,text,etx,dev,so_far)
    def _good(self,n,text,etx,dev,so_far):
        before=(self.text,self.complete,self.frames_in_message)
        joined=so_far+text
        if etx and text and not joined.rstrip(b"\n").endswith(b"\r"): joined+=b"\r"
        if self.complete: self.frames_in_message=0
        whole=False
        if self.content!="opaque" and text and joined.rstrip(b"\n").endswith(b"\r"):
            rec=joined.rstrip(b"\n")[:-1].split(b"\r")[-1].lstrip(b"\n")
            whole=rec[:1]==b"L" and (len(rec)==1 or rec[1] in PUNCT)
        self.text,self.complete=joined,whole; self.frames_in_message+=1
        self.owed=dict(n=n,text=text,etx=etx,before=before,whole=whole,since=self.now,key=(n,text))
        e=dict(ev="message" if whole else "frame",number=n,end="ETX" if etx else "ETB",text=(joined if whole else text).hex())
        if dev: e["deviations"]=sorted(dev)
        if whole: e["repeated"]=joined in self.known
        self._out(**e)
        if self.host in("accept","interrupt"): self._answer(self.host)
    def _refuse(self,fault,n,by_stx,send=True):
        self._out(ev="refused",fault=fault,**({"number":n} if n is not None else {}))
        if not by_stx: self._send(NAK); self.last_good_etx=False; self._count(fault)
    def _count(self,fault):
        self.refusals+=1
        if self.refusals>=6: self._out(ev="refused_for_good",fault=fault); self._end("refused_for_good")
    # ---- the host's answer
    def answer(self,how): self._answer(how); self._pump()
    def _answer(self,how):
        o=self.owed or self.slow_frame
        if o is None: return
        if self.owed is None:                         # its frame was refused meanwhile: kept for the repeat
            o["verdict"]=how; return
        self.owed=None; self.slow_frame=None
        self._settle(o,how)
    def _settle(self,o,how):
        if how=="refuse":
            self.text,self.complete,self.frames_in_message=o["before"]
            self._refuse("refused_by_host",o["n"],False); return
        self.last_text=o["key"]; self.refusals=0; self.n_frames+=1; self.last_good_etx=o["etx"]
        if o["n"] is not None: self.last=o["n"]; self.expected=(o["n"]+1)%8
        if o["whole"]: self.n_messages+=1; self.known=(self.known+[self.text])[-16:]
        self._send(EOT if how=="interrupt" else ACK)
    def _slow_repeat(self,n):
        o=self.slow_frame
        if "verdict" in o:
            self.slow_frame=None; how=o["verdict"]
            if how!="refuse": self._out(ev="repeat",number=n)
            self._settle(o,how)
        else: self.owed=o; o["since"]=self.now; self.slow_frame=None
    # ---- time
    def deadline(self):
        d=[]
        if self.owed is not None:
            wait=self.handler if self.slow=="nak" else 0
            return self.owed["since"]+wait if wait and self.owed["whole"] else None
        if self.raw is not None and self._parts() and self.quiet: d.append(self.last_byte+self.quiet)
        if self.enq_held is not None: d.append(self.last_byte+self.enq_held)
        if (self.raw is not None and not self._parts() or self.held is not None) and self.broken_off: d.append(self.last_byte+self.broken_off)
        if self.session and self.raw is None and self.next_frame: d.append(max(self.last_reply,0)+self.next_frame)
        return min(d) if d else None
    def wait(self,ms):
        end=self.now+ms
        while True:
            d=self.deadline()
            if d is None or d>end: break
            self.now=max(self.now,d); self._due()
        self.now=end
    def _due(self):
        if self.owed is not None:
            o=self.owed; self.owed=None; self.slow_frame=o
            self._out(ev="refused",fault="refused_by_host",**({"number":o["n"]} if o["n"] is not None else {})); self._send(NAK); self._count("refused_by_host")
            self._pump(); return
        if self.raw is not None and self._parts() and self.now>=self.last_byte+self.quiet:
            held=self.held; self._frame_ends(False); self.held=held; return
        if self.enq_held is not None and self.now>=self.last_byte+self.enq_held:
            self.enq_held=None
            if not self.session: self._accept_enq()
            elif self.again: self._restart()
            else: self._refuse_enq()
            return
        if self.now>=self.last_byte+self.broken_off and (self.held is not None or self.raw is not None):
            held=self.held; inside=self.raw is not None
            self.held=None; self.raw=None
            if held==EOT: self._end("eot_in_frame" if inside else "eot")
            elif held==ENQ and self.profile!="strict": self._refuse_enq()
            elif inside: self._broken("truncated_frame"); self._nak("truncated_frame")
            return
        self._flush(); self._end("frame_timeout")
    def _nak(self,fault): self._send(NAK); self.last_good_etx=False; self._count(fault)
    def _refuse_enq(self):
        """a frame may have become this ENQ, so it is no ACK that is sent; who asks again after it waited was restarted"""
        self._out(ev="refused",fault="enq_in_transfer"); self._nak("enq_in_transfer"); self.asked=self.now
    def _restart(self):
        n=self.restarts+1 if self.n_frames==0 else 0
        self._end("enq_in_transfer")
        if not self.ready: self._send(NAK); return
        self._start([]); self.restarts=n
        if n==10: self._out(ev="enq_storm")
        self._send(ACK)
    # ---- the end of a session
    def _lost(self,reason):
        self.slow_frame=None
        if self.text and not self.complete:
            if reason=="eot" and self.content!="records" and self.last_good_etx: self._out(ev="message_at_eot",text=self.text.hex(),repeated=self.text in self.known); self.known=(self.known+[self.text])[-16:]; self.n_messages+=1
            else: self._out(ev="incomplete",reason="incomplete_message" if reason=="eot" else reason,text=self.text.hex())
        self.text=b""; self.complete=False
    def _end(self,reason):
        self._lost(reason)
        self._out(ev="session_end",reason=reason,frames=self.n_frames,messages=self.n_messages); self._clear(); self.session=False
    def line_lost(self):
        self.inq.clear(); self._flush(); self.owed=None; self.enq_held=None; self.held=None; self.asked=None; self.noise_at=None
        inside=self.raw is not None; self.raw=None
        if self.session: self._end("end_of_stream")
        self.seen_sum=False
    @property
    def state(self):
        if self.owed is not None: return "owed"
        if self.raw is not None: return "frame"
        return "session" if self.session else "neutral"
